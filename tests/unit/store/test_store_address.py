"""What store URLs say, and what their errors do not repeat."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.shared.store.address import orders_url, parse_store_url, store_urls
from trading_api.shared.store.engine import open_engine, place_of
from trading_api.shared.store.errors import StoreUrlError

PASSWORD = "hunter2"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "scheme none"),
        ("trading.db", "scheme none"),
        ("mysql://root:hunter2@localhost/x", "scheme 'mysql'"),
        ("postgres://u:hunter2@localhost/x", "postgresql://"),
        ("postgresql+psycopg://u:hunter2@localhost/x", "scheme 'postgresql+psycopg'"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://host/file.db", "names no file"),
        ("sqlite:///folder/", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?mode=ro", "without parameters"),
        ("sqlite:///x\0.db", "names no file"),
        ("postgresql:///", "names no database"),
        ("postgresql://u:hunter2@host", "names no database"),
        ("postgresql://u:hunter2@host/", "names no database"),
        ("postgresql://u:hunter2@host/a/b", "names no database"),
        ("postgresql:host/db", "names no database"),
        ("postgresql://u:hunter2@host:port/db", "host or port"),
        ("postgresql://u:hunter2@host:99999/db", "host or port"),
        ("postgresql://u:hunter2@[::1/db", "host or port"),
        ("postgresql://u:SECRET@hunter2@host/db", "%40"),
    ],
)
def test_D02_a_wrong_store_url_is_refused_without_its_password(url: str, words: str) -> None:
    with pytest.raises(StoreUrlError, match=words.replace("+", r"\+")) as caught:
        open_engine(url)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///data/trading.db", "data/trading.db"),
        ("sqlite:////var/lib/trading.db", "/var/lib/trading.db"),
        ("postgresql://u:hunter2@db.example:6543/trading", "db.example:6543/trading"),
        ("postgresql://db.example/trading?sslmode=require", "db.example:5432/trading"),
        ("postgresql://u:hunter2@[::1]:5432/my%20db", "::1:5432/my db"),
        ("postgresql:///trading?host=/run/postgresql&port=5433", "/run/postgresql:5433/trading"),
    ],
)
def test_D02_messages_name_the_place_of_a_store(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize(
    ("url", "orders"),
    [
        ("sqlite:///data/trading.db", "sqlite:///data/trading.orders.db"),
        ("sqlite:////var/lib/x.y/store", "sqlite:////var/lib/x.y/store.orders"),
        ("sqlite:///a.b.c", "sqlite:///a.b.orders.c"),
        ("sqlite:///.hidden", "sqlite:///.hidden.orders"),
        ("sqlite:///x.", "sqlite:///x.orders."),
        ("sqlite:///50% #1 é.db", "sqlite:///50% #1 é.orders.db"),
    ],
)
def test_D04_orders_have_a_file_of_their_own_beside_the_stores(url: str, orders: str) -> None:
    assert orders_url(url) == orders
    assert store_urls(url) == (orders, url)


def test_D04_orders_share_the_database_of_a_server() -> None:
    url = "postgresql://u:hunter2@db.example:6543/trading?sslmode=require"
    assert orders_url(url) == url
    assert store_urls(url) == (url,)
    with pytest.raises(StoreUrlError):
        orders_url("mysql://x/y")


@given(st.text(max_size=20), st.text(max_size=20))
def test_D04_two_stores_never_share_their_orders(one: str, other: str) -> None:
    first, second = f"sqlite:///x/{one}", f"sqlite:///x/{other}"
    with suppress(StoreUrlError):
        assert orders_url(first) != first
        assert (orders_url(first) == orders_url(second)) == (first == second)
        assert parse_store_url(orders_url(first)).path != parse_store_url(first).path


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@127.0.0.1:1/db", "sqlite:////nowhere/hunter2/x.db"])
def test_D02_opening_an_engine_opens_nothing(url: str) -> None:
    engine = open_engine(url)
    assert PASSWORD not in f"{engine!r} {engine.url}"
    engine.dispose()


@given(st.text(max_size=40))
def test_D02_any_text_is_a_store_or_refused(text: str) -> None:
    for prefix in ("", "sqlite:///", "postgresql://", "postgresql://u:p@h/"):
        with suppress(StoreUrlError):
            assert parse_store_url(prefix + text).place
