"""URLs, symbols and instants of the configuration: what is taken, and that a refusal repeats no secret (C02)."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy import addresses

SECRET = "hunter2hunter2"
LETTERS = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2hunter2@db/x",
        "postgres://u:hunter2hunter2@db/x",
        "postgresql://u:hunter2hunter2@db",
        "postgresql://u:hunter2hunter2@db/",
        "postgresql://u@db:hunter2hunter2/x",
        "postgresql://u:hunter2hunter2@[db/x",
        "postgresql://u:p@hunter2hunter2@db/x",
        "/var/lib/trading.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///folder/",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "",
    ],
)
def test_C02_a_store_url_that_names_no_store_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        addresses.store_url(url)
    assert SECRET not in str(refused.value)
    assert any(word in str(refused.value) for word in ("sqlite:///", "name a file", "%40"))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///.local/data/trading.db",
        "sqlite:////var/lib/all of it.db",
        "postgresql://db/trading",
        "postgresql://u:p%40ss@[::1]:5433/trading?sslmode=require",
        "postgresql:///trading?host=/run/postgresql",
    ],
)
def test_C01_a_store_url_is_taken_as_it_is(url: str) -> None:
    assert addresses.store_url(url) == url


@given(LETTERS, LETTERS)
def test_C02_whatever_stands_around_a_password_it_is_never_told(before: str, after: str) -> None:
    url = f"{before}{SECRET}@{after}"
    for check in (addresses.store_url, addresses.bus_url):
        assert SECRET not in _refusal(check, url)


def _refusal(check: Callable[[str], str], url: str) -> str:
    """What is said against `url`; nothing where it is taken."""
    try:
        check(url)
    except ValueError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nats://token@host:4222", r"bus\.token_file"),
        ("nats://a:4222,nats://u:p@b:4222", r"bus\.token_file"),
        ("http://host:4222", "no URL of a NATS server"),
        ("nats://host:port", "cannot be read"),
        ("nats://host:99999", "cannot be read"),
        ("nats://host/path", "no URL of a NATS server"),
        ("nats://a,", "no URL of a NATS server"),
        ("nats://", "no URL of a NATS server"),
        (",".join(["nats://a"] * 17), "17 URLs"),
    ],
)
def test_C02_a_bus_url_names_servers_and_nothing_else(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        addresses.bus_url(url)


@pytest.mark.parametrize("url", ["nats://host", "tls://host:4222", "nats://[::1]:4222,nats://10.0.0.5:4223"])
def test_C01_a_bus_url_is_taken_as_it_is(url: str) -> None:
    assert addresses.bus_url(url) == url


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_C02_an_instant_outside_every_market_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1801 to 2199"):
        addresses.instant(text)


# Without a zone, as hypothesis wants them.
MOMENTS = st.datetimes(datetime(1801, 1, 1), datetime(2199, 12, 31), timezones=st.timezones())  # noqa: DTZ001


@given(MOMENTS)
def test_C01_every_instant_with_an_offset_is_taken_and_none_without(moment: object) -> None:
    text = str(moment)
    assert addresses.instant(text) == text
    naive = text[:19]
    with pytest.raises(ValueError, match="no offset from UTC"):
        addresses.instant(naive)


@pytest.mark.parametrize("name", ["", "A B", "A,B", "A'B", 'A"B', "A\nB", "Ä", "x" * 81])
def test_C02_a_symbol_can_be_one_of_a_list_in_an_environment_variable(name: str) -> None:
    with pytest.raises(ValueError, match="no symbol"):
        addresses.symbol(name)
