"""An HTTP answer, put together from bytes as they come (D03)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.modules.broker.link.http_answer import MAX_BODY, HttpAnswer, HttpAnswerError

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
AFTER_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN


def fed(*parts: bytes) -> HttpAnswer:
    answer = HttpAnswer()
    for part in parts:
        answer.feed(part)
    return answer


@given(st.sampled_from([PLAIN, CHUNKED, AFTER_HINTS]), st.sets(st.integers(1, 90)))
def test_D03_an_answer_is_the_same_however_its_bytes_are_cut(wire: bytes, cuts: set[int]) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    answer = fed(*(wire[first:last] for first, last in pairwise(places)))
    assert (answer.status, answer.body, answer.complete, answer.keeps) == (200, b"hello", True, True)


def test_D03_an_answer_without_its_end_is_not_complete() -> None:
    assert not fed(PLAIN[:-1]).complete
    assert not fed(b"").complete


def test_D03_a_server_may_close_after_its_answer() -> None:
    answer = fed(PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answer.complete
    assert not answer.keeps


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 OK\r\n\r\n",
        PLAIN + PLAIN,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * (MAX_BODY + 1),
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=["ssh", "tls", "status", "two", "body", "head", "upgrade"],
)
def test_D03_what_is_no_answer_or_too_large_is_refused(wire: bytes) -> None:
    with pytest.raises(HttpAnswerError):
        fed(wire)
