"""The runtime of generated clients: what is sent again, and when (G04)."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.codegen.client_runtime import Dice, Request, Response, RetryPolicy, TransportError
from trading_api.codegen.client_runtime.retry import Attempts, retry_after

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
# Draws the longest delay there is.
DICE = Dice(uniform=lambda _low, high: high, now=lambda: NOW)
GET = Request("get", "GET", "/")
POST = Request("post", "POST", "/")
KEYED = POST.__class__("post", "POST", "/", {"idempotency-key": "k"})


def answer(status: int, retry: str | None = None) -> Response:
    return Response(status, {} if retry is None else {"retry-after": retry}, b"")


def delays(request: Request, outcome: Response | TransportError, policy: RetryPolicy | None = None) -> list[float]:
    attempts, found = Attempts(request, policy or RetryPolicy(), DICE), []
    while (delay := attempts.delay_after(outcome)) is not None:
        found.append(delay)
    return found


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_G04_temporary_failures_of_safe_requests_are_tried_again(status: int) -> None:
    assert delays(GET, answer(status)) == [0.2, 0.4]
    assert delays(KEYED, answer(status)) == [0.2, 0.4]
    assert delays(GET, TransportError("get", "gone")) == [0.2, 0.4]


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 404, 408, 409, 422, 500, 501])
def test_G04_every_other_answer_is_final(status: int) -> None:
    assert delays(GET, answer(status)) == []


@pytest.mark.parametrize("outcome", [answer(503), answer(429, "0"), TransportError("post", "gone")])
def test_G04_a_post_without_a_key_is_never_sent_again(outcome: Response | TransportError) -> None:
    assert delays(POST, outcome) == []


def test_G04_one_attempt_means_no_retry() -> None:
    assert delays(GET, answer(503), RetryPolicy(attempts=1)) == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 01 Jan 2024 12:00:05 GMT", 5.0),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 0.0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("9" * 400, float("inf")),
    ],
)
def test_G04_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(answer(503, value), NOW) == seconds


def test_G04_retry_after_is_waited_for_unless_it_is_too_long() -> None:
    assert delays(GET, answer(503, "7")) == [7.0, 7.0]
    assert delays(GET, answer(503, "31")) == []
    assert delays(GET, answer(429, "9" * 400)) == []


@given(st.integers(0, 10_000), st.integers(0, 2**32))
def test_G04_jitter_is_full_and_bounded(retries: int, seed: int) -> None:
    policy = RetryPolicy()
    assert 0 <= random.Random(seed).uniform(0, policy.ceiling(retries)) <= policy.longest
