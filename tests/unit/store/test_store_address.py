"""What store URLs say, and what their errors do not repeat."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.shared.store.address import parse_store_url
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
