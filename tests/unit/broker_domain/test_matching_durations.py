"""Time in force: what is understood, what is refused, when an order ends."""

import pytest

from trading_api.modules.broker.domain.checks import duration_problems
from trading_api.modules.broker.domain.duration import Duration, DurationKind, parse_duration

NOW = 1_704_153_600_000


@pytest.mark.parametrize("kind", ["", "GOOD", "GTX", "1"])
def test_D03_an_unknown_duration_is_refused_with_the_known_ones(kind: str) -> None:
    with pytest.raises(ValueError, match="is not known; use one of DAY, GTC, GTD, IOC, FOK, GTT"):
        parse_duration(kind)


@pytest.mark.parametrize(
    ("asked", "understood"),
    [
        (None, DurationKind.GTC),
        ("gtc", DurationKind.GTC),
        (" Day ", DurationKind.DAY),
        ("GTT", DurationKind.GTD),
        ("IOC", DurationKind.IOC),
        ("FOK", DurationKind.FOK),
    ],
)
def test_D03_durations_go_by_their_names_in_any_case(asked: str | None, understood: DurationKind) -> None:
    assert parse_duration(asked) == Duration(understood)


@pytest.mark.parametrize(
    ("kind", "until", "text"),
    [
        ("GTD", None, "duration.datetime is missing; GTD needs the moment at which the order ends, ms UTC"),
        ("GTT", NOW, f"duration.datetime {NOW} is past; use a moment after {NOW} (ms UTC)"),
        ("GTC", NOW + 1, f"duration.datetime {NOW + 1} does not belong to GTC; leave it out, or use GTD"),
    ],
)
def test_D03_a_moment_that_is_missing_past_or_out_of_place_is_refused(kind: str, until: int | None, text: str) -> None:
    assert [problem.text for problem in duration_problems(parse_duration(kind, until), NOW)] == [text]


@pytest.mark.parametrize(("kind", "until"), [("GTD", NOW + 1), ("DAY", None), ("GTC", None), ("IOC", None)])
def test_D03_a_good_duration_has_no_problem(kind: str, until: int | None) -> None:
    assert duration_problems(parse_duration(kind, until), NOW) == ()


@pytest.mark.parametrize(
    ("kind", "ends", "immediate"),
    [("DAY", 500, False), ("GTC", None, False), ("GTD", 900, False), ("IOC", None, True), ("FOK", None, True)],
)
def test_D03_a_day_order_ends_with_the_session_and_a_gtd_order_at_its_moment(
    kind: str, ends: int | None, immediate: bool
) -> None:
    duration = parse_duration(kind, 900 if kind == "GTD" else None)
    assert (duration.expires_ms(session_end_ms=500), duration.is_immediate) == (ends, immediate)
