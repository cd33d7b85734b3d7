"""Several datafeed processes are one to their clients, also while NATS or one of them is killed (D02)."""

import json
import os
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.datafeed_bars import at, bar, put
from support.datafeed_bench import AAPL
from support.datafeed_instances import Instance, Json, instances
from support.live_client import LiveClient, live_client
from support.nats import NatsServer, nats_server
from support.project import Project, project_in
from support.waiting import wait_until

from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.resolution import Resolution

pytestmark = pytest.mark.integration
MINUTE, DAY = 60_000, 86_400_000
OPEN = at("2024-01-03T14:30")


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    with nats_server() as server:
        yield server


def manual(store_url: str, nats: NatsServer) -> dict[str, str]:
    return {
        "TRADING_STORE_URL": store_url,
        "TRADING_FEED_KIND": "manual",
        "TRADING_DEBUG_ROUTES": "1",
        "TRADING_BUS_URL": nats.url,
        "TRADING_BUS_TOKEN_FILE": str(nats.token_file),
    }


def quote(price: float, minute: int = 0, symbol: str = "BTCUSD") -> Json:
    return {
        "symbol": symbol,
        "bid": price,
        "ask": price + 1,
        "last": price,
        "volume": 1,
        "time": OPEN + minute * MINUTE,
    }


def connected(stack: ExitStack, found: list[Instance]) -> list[LiveClient]:
    return [stack.enter_context(live_client(each.port, "datafeed")) for each in found]


def price_of(update: Json) -> Any:
    return update["v"].get("lp")


def told(client: LiveClient, topic: str, price: float) -> Json:
    """The update of a price; whatever came before it is passed over."""
    while price_of(update := client.update(topic)) != price:
        pass
    return update


@pytest.mark.long
def test_D02_a_quote_pushed_to_one_instance_is_that_of_all(tmp_path: Path, store_url: str, nats: NatsServer) -> None:
    with instances(tmp_path, 2, **manual(store_url, nats)) as found, ExitStack() as stack:
        clients = connected(stack, found)
        topics = [client.subscribe("quotes", {"fast_symbols": ["BTCUSD"]}) for client in clients]
        bars = [client.subscribe("bars", {"symbol": "BTCUSD", "resolution": "1"}) for client in clients]
        for number in range(20):
            price = 100 + number
            reply = found[number % 2].push(quote(price, number // 4))
            assert (reply.status_code, reply.json()["stored"]) == (200, 1)
            answers = [each.quotes("BTCUSD") for each in found]
            assert answers[0] == answers[1]
            assert price_of(answers[0][0]) == price, "read after write, on either"
        assert told(clients[0], topics[0], 119) == told(clients[1], topics[1], 119)
        history = [each.get("bars", symbol="BTCUSD", resolution="1", count_back=99) for each in found]
        assert history[0] == history[1]
        for client, topic in zip(clients, bars, strict=True):
            seen = [frame["payload"]["payload"] for frame in client.seen if frame["type"] == "bars.update"]
            seen += [client.update(topic)] if not seen or seen[-1] != history[0]["bars"][-1] else []
            last = {each["time"]: each for each in seen}
            assert list(last.values()) == history[0]["bars"]


@pytest.mark.long
def test_D02_while_nats_is_away_streams_are_late_and_nothing_is_lost(tmp_path: Path, nats: NatsServer) -> None:
    store_url = f"sqlite:///{tmp_path / 'trading.db'}"
    with instances(tmp_path, 2, **manual(store_url, nats)) as found, ExitStack() as stack:
        _, client = connected(stack, found)
        topic = client.subscribe("quotes", {"fast_symbols": ["BTCUSD"]})
        nats.kill()
        wait_until(lambda: [each.get("health")["status"] for each in found] == ["degraded"] * 2, what="both to notice")
        assert "pushed quotes" in found[0].get("health")["message"]
        assert found[0].push(quote(200)).status_code == 200
        assert price_of(found[1].quotes("BTCUSD")[0]) == 200
        told(client, topic, 200)
        nats.start()
        wait_until(lambda: [each.get("health")["status"] for each in found] == ["ok"] * 2, what="both to be back")
        assert found[0].push(quote(201)).status_code == 200
        told(client, topic, 201)
    assert [each.text().count("ERROR") for each in found] == [0, 0]


@pytest.mark.long
def test_D02_an_instance_that_was_killed_comes_back_with_all_that_was_pushed(tmp_path: Path, nats: NatsServer) -> None:
    store_url = f"sqlite:///{tmp_path / 'trading.db'}"
    with instances(tmp_path, 2, **manual(store_url, nats)) as (first, second):
        assert first.push(*(quote(100 + number, number) for number in range(50))).status_code == 200
        first.kill()
        assert second.push(quote(300, 60)).status_code == 200
        first.start()
        assert first.quotes("BTCUSD") == second.quotes("BTCUSD")
        asked: dict[str, str | int] = {"symbol": "BTCUSD", "resolution": "5", "count_back": 50}
        assert first.get("bars", **asked) == second.get("bars", **asked)
        late = first.push(quote(1, 59))
        assert (late.status_code, late.json()["errors"][0]["location"]) == (400, "body.0.time")


@pytest.mark.long
def test_D02_instances_of_a_replay_agree_also_after_a_restart(tmp_path: Path, store_url: str) -> None:
    with closing(open_store(store_url)) as store:
        minutes = [bar(OPEN + number * MINUTE, 100 + number % 50) for number in range(390)]
        put(store, Resolution.MINUTE_1, minutes, AAPL)
    environment = {
        "TRADING_STORE_URL": store_url,
        "TRADING_FEED_KIND": "replay",
        "TRADING_FEED_START": "2024-01-03T14:30:00Z",
        "TRADING_FEED_SPEED": "10",
    }
    with instances(tmp_path, 2, **environment) as (first, second):
        assert _same(first, second)
        assert first.quotes("AAPL")[0]["s"] == "ok"
        before = first.get("bars", symbol="AAPL", resolution="1", count_back=1)["bars"][-1]
        first.kill()
        first.start()
        assert _same(first, second)
        after = first.get("bars", symbol="AAPL", resolution="1", count_back=1)["bars"][-1]
        assert after["time"] >= before["time"], "it did not begin anew"
        everything = first.get("bars", symbol="AAPL", resolution="1", from_time=0)["bars"]
        assert len(everything) < 60, "nothing later than the virtual now"
        with live_client(first.port, "datafeed") as client:
            topic = client.subscribe("bars", {"symbol": "AAPL", "resolution": "1"})
            bars = [client.update(topic) for _ in range(40)]
            finished = list({each["time"]: each for each in bars}.values())[:-1]
            asked = second.get("bars", symbol="AAPL", resolution="1", from_time=finished[0]["time"])["bars"]
            assert finished == asked[: len(finished)]


def _same(first: Instance, second: Instance) -> bool:
    """At the same moment they say the same. A moment may end between two questions, so the last few count."""
    said = deque[str](maxlen=4), deque[str](maxlen=4)

    def agree() -> bool:
        for instance, quotes in zip((first, second), said, strict=True):
            quotes.append(json.dumps(instance.quotes("AAPL")))
        return not set(said[0]).isdisjoint(said[1])

    return wait_until(agree, what="two quotes of one moment")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_in(tmp_path / "project") as found:
        yield found


def test_D02_three_instances_behind_nginx_are_one_also_while_one_is_killed(project: Project) -> None:
    config = project.standard(datafeed={"instances": 3})
    bus = {"port": project.port + 11}
    project.write({**config, "bus": bus, "feed": {"kind": "manual"}, "debug_routes": True})
    project.up()
    url = f"{project.url}/api/v1/datafeed"
    with httpx.Client(trust_env=False, timeout=60) as client:
        victim = project.pids()["datafeed:datafeed-1"]
        for number in range(60):
            price = 100 + number
            pushed = _asked(client, f"{url}/debug/quotes", [quote(price, number)])
            assert pushed["stored"] == 1
            (answer,) = _asked(client, f"{url}/quotes", {"symbols": ["BTCUSD"]})
            assert price_of(answer) == price
            if number == 20:
                os.kill(victim, signal.SIGKILL)
        wait_until(lambda: project.pids()["datafeed:datafeed-1"] not in {victim, None}, what="it to be back")
        bars = client.get(f"{url}/bars?symbol=BTCUSD&resolution=1&count_back=100").json()["bars"]
        assert [each["close"] for each in bars][-60:] == [100 + number for number in range(60)]
    for _ in range(4):
        # Each connection is another instance's: a new subscriber gets the current quote from any.
        with live_client(project.port, "datafeed") as live:
            assert price_of(live.update(live.subscribe("quotes", {"fast_symbols": ["BTCUSD"]}))) == 159
    project.down()


def _asked(client: httpx.Client, url: str, body: object) -> Any:
    """A request that is asked again when the instance dies that has it; the same quote twice changes no price."""
    for _ in range(3):
        reply = client.post(url, json=body)
        if reply.status_code < 500:
            break
    assert reply.status_code == 200, reply.text
    return reply.json()
