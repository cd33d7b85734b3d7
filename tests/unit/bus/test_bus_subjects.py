"""Subjects, patterns and URLs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.shared.bus import BusUrlError, MemoryBus, SubjectError, open_bus
from trading_api.shared.bus.nats_url import read_urls
from trading_api.shared.bus.subject import check_pattern, check_subject, has_wildcards, matches

tokens = st.text(st.sampled_from("ab$_-:/9"), min_size=1, max_size=3)
subjects = st.lists(tokens, min_size=1, max_size=4).map(".".join)
patterns = st.tuples(st.lists(st.one_of(tokens, st.just("*")), max_size=4), st.sampled_from(["", ">"])).map(
    lambda parts: ".".join([*parts[0], *filter(None, [parts[1]])])
)


@given(subjects)
def test_D04_a_subject_is_a_pattern_that_matches_itself(subject: str) -> None:
    check_subject(subject)
    check_pattern(subject)
    assert not has_wildcards(subject)
    assert matches(subject, subject)
    assert matches(">", subject)


@given(patterns.filter(bool), subjects)
def test_D04_patterns_match_as_the_same_regular_expression_does(pattern: str, subject: str) -> None:
    check_pattern(pattern)
    parts = [{"*": r"[^.]+", ">": r".+"}.get(token, re.escape(token)) for token in pattern.split(".")]
    assert matches(pattern, subject) is (re.fullmatch(r"\.".join(parts), subject) is not None)


@given(st.text(max_size=20))
def test_D04_a_subject_never_holds_what_the_wire_or_a_pattern_would_read_otherwise(text: str) -> None:
    try:
        check_subject(text)
    except SubjectError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set(" *>")
    assert all(text.split("."))


def test_D04_the_length_of_a_subject_is_bounded_and_errors_stay_short() -> None:
    check_subject("x" * 255)
    check_pattern("x" * 255)
    for check in (check_subject, check_pattern):
        with pytest.raises(SubjectError) as caught:
            check("x" * 100_000)
        assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("nats://127.0.0.1:4222", ("nats://127.0.0.1:4222",)),
        ("nats://bus", ("nats://bus:4222",)),
        ("tls://a:1, nats://[::1]:2/", ("tls://a:1", "nats://[::1]:2")),
    ],
)
def test_D04_urls_of_the_bus(text: str, urls: tuple[str, ...]) -> None:
    assert read_urls(text) == urls


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "http://a",
        "nats://",
        "nats://:4222",
        "nats://a:x",
        "nats://a:70000",
        "nats://a/b",
        "nats://a?b",
        "nats://a,",
    ],
)
def test_D04_what_is_no_url_of_a_bus_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(BusUrlError, match=r"write it as nats://127\.0\.0\.1:4222"):
        open_bus(text, "")


@pytest.mark.parametrize(
    "text", ["nats://secret@a:4222", "nats://me:secret@a", "http://secret@a", "nats://me:secret@a:x"]
)
def test_D04_a_url_with_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BusUrlError) as caught:
        open_bus(text, "")
    assert "secret" not in str(caught.value)


def test_D04_no_url_means_in_memory() -> None:
    assert isinstance(open_bus("", ""), MemoryBus)
