"""Where PostgreSQL is missing its tests are skipped and say so, unless that is forbidden."""

import pytest
from support import postgres


@pytest.fixture(autouse=True)
def _no_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_binaries", lambda: None)
    # A server may run already for other tests of this process.
    postgres_server = postgres.postgres_server.__wrapped__
    monkeypatch.setattr(postgres, "postgres_server", postgres_server)


def test_D02_without_postgresql_a_test_is_skipped_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADING_REQUIRE_POSTGRES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install postgresql"):
        postgres.postgres_server()


def test_D02_without_postgresql_a_test_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADING_REQUIRE_POSTGRES", "1")
    with pytest.raises(pytest.fail.Exception, match="TRADING_REQUIRE_POSTGRES=1, but PostgreSQL is not installed"):
        postgres.postgres_server()
