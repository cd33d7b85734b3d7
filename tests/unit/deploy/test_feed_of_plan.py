"""Store, feed and debug routes reach every server as its settings (D02), read back by the backend itself."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import make_plan

from deploy.planner import serve_environment
from deploy.schema import TREE_VARIABLES, DeploymentConfig
from trading_api.settings import Settings, read_settings

KNOWN = {"core": ("v1",), "broker": ("v1", "v2"), "datafeed": ("v1",)}


def _settings(**keys: object) -> Settings:
    config = DeploymentConfig.model_validate({"servers": {"core": {"port": 8001}}, **keys})
    return read_settings(serve_environment(config, ("core",)), KNOWN)


def test_D02_the_defaults_of_file_and_settings_are_the_same() -> None:
    told, default = _settings(), Settings()
    for name in (
        "store_url",
        "bus_url",
        "bus_token_file",
        "debug_routes",
        "feed",
        "body_limit",
        "log_level",
        "base_url",
    ):
        assert getattr(told, name) == getattr(default, name), name


def test_D02_what_the_file_says_is_what_the_server_reads() -> None:
    replay = {"symbols": ["AAPL", "CBOE:^SPX"], "speed": 2.5, "start": "2024-01-02T14:30:00+01:00"}
    told = _settings(
        store={"url": "postgresql://u:p@db/x"},
        feed={"kind": "replay", "seed": -3, "replay": replay},
        debug_routes=True,
        bus={"url": "nats://a:4222", "token_file": "t"},
    )
    assert told.store_url == "postgresql://u:p@db/x"
    assert (told.feed.kind, told.feed.seed, told.feed.speed) == ("replay", -3, Decimal("2.5"))
    assert told.feed.symbols == ("AAPL", "CBOE:^SPX")
    assert told.feed.start is not None
    assert told.feed.start.isoformat() == "2024-01-02T14:30:00+01:00"
    assert (told.debug_routes, told.bus_url, told.bus_token_file) == (True, "nats://a:4222", "t")


@given(st.floats(0.001, 100_000), st.integers(-(10**18) + 1, 10**18 - 1))
def test_D02_every_speed_and_seed_that_the_file_may_say_is_read(speed: float, seed: int) -> None:
    feed = _settings(feed={"seed": seed, "replay": {"speed": speed}}).feed
    assert feed.seed == seed
    assert float(feed.speed) == pytest.approx(speed)


def test_C02_every_setting_that_the_tree_makes_is_refused_as_an_own_variable() -> None:
    made = set(dict(make_plan().servers()[0].env)) - {"TRADING_DEPLOYED_MODULES"}
    assert made == set(TREE_VARIABLES)


@pytest.mark.parametrize("speed", [float("nan"), float("inf"), -1, 0, 100_001, True, "2"])
def test_C02_a_speed_is_a_number_above_nothing(speed: Any) -> None:
    with pytest.raises(ValueError, match=r"feed\.replay\.speed"):
        DeploymentConfig.model_validate({"servers": {"core": {"port": 1}}, "feed": {"replay": {"speed": speed}}})
