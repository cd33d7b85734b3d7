"""M01, M02, M03: what a client sees is the same whether one process serves, or the tree behind nginx."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.gateway_topology import CSV, MODULES, Topology, one_process
from support.project import Project, project_in

pytestmark = pytest.mark.integration

DAYS = list(csv.DictReader(CSV.read_text(encoding="utf-8").splitlines()))


def seconds(day: str) -> int:
    """A date at 00:00 UTC, in seconds."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def assert_bar(found: dict[str, Any], row: dict[str, str]) -> None:
    """A bar of the wire is a row of the file."""
    assert found == {
        "time": seconds(row["Date"]) * 1000,
        **{name: float(row[name.capitalize()]) for name in ("open", "high", "low", "close", "volume")},
    }


@pytest.mark.parametrize("module", MODULES)
def test_M03_A03_every_module_has_its_three_routes(backend: Topology, module: str) -> None:
    health = backend.get(f"/api/v1/{module}/health")
    assert (health.status_code, health.headers["content-type"]) == (200, "application/json")
    document = health.json()
    sent = datetime.fromisoformat(document.pop("timestamp"))
    assert abs(datetime.now(UTC) - sent) < timedelta(seconds=10)
    assert document == {"status": "ok", "message": "The module is up.", "module_name": module, "api_version": "v1"}
    version = backend.get(f"/api/v1/{module}/version")
    assert version.json() == {"module_name": module, "api_version": "v1"}
    versions = backend.get(f"/api/v1/{module}/versions")
    assert versions.json() == {"module_name": module, "api_versions": ["v1"]}


def test_M03_D01_the_account(backend: Topology) -> None:
    reply = backend.get("/api/v1/broker/account")
    assert reply.json() == {"id": "DEMO-ACCOUNT", "name": "Demo account", "currency": "USD"}


def test_M03_D02_the_datafeeds_configuration(backend: Topology) -> None:
    config = backend.get("/api/v1/datafeed/config").json()
    assert config["supported_resolutions"] == ["1", "3", "5", "15", "30", "60", "120", "240", "1D", "1W", "1M"]
    assert {"NASDAQ", "FX", "CRYPTO"} <= {exchange["value"] for exchange in config["exchanges"]}
    assert {"stock", "forex", "crypto"} <= {kind["value"] for kind in config["symbols_types"]}
    assert config["supports_search"] is True


def test_M03_D02_search_finds_the_best_first(backend: Topology) -> None:
    found = backend.get("/api/v1/datafeed/search?user_input=aapl&max_results=5").json()
    assert found[0] == {
        "symbol": "AAPL",
        "description": "Apple Inc.",
        "exchange": "NASDAQ",
        "ticker": "AAPL",
        "type": "stock",
    }
    assert len(backend.get("/api/v1/datafeed/search?user_input=&max_results=2").json()) == 2
    assert backend.get("/api/v1/datafeed/search?user_input=no%20such%20thing").json() == []


@pytest.mark.parametrize("symbol", ["AAPL", "aapl", "NASDAQ:AAPL", "NASDAQ%3AAAPL"])
def test_M03_D02_symbols_are_resolved_however_they_are_spelled(backend: Topology, symbol: str) -> None:
    info = backend.get(f"/api/v1/datafeed/resolve/{symbol}").json()
    assert (info["name"], info["pricescale"], info["minmov"]) == ("AAPL", 100, 1)
    assert (info["timezone"], info["has_daily"], info["has_intraday"]) == ("America/New_York", True, False)
    assert info["supported_resolutions"] == ["1D", "1W", "1M"]


def test_M03_D02_imported_bars_come_back_exactly(backend: Topology) -> None:
    first, after = DAYS[0]["Date"], DAYS[-1]["Date"]
    query = f"symbol=AAPL&resolution=1D&from_time={seconds(first)}&to_time={seconds(after)}"
    answer = backend.get(f"/api/v1/datafeed/bars?{query}").json()
    assert answer["no_data"] is False
    assert len(answer["bars"]) == len(DAYS) - 1, "to_time is exclusive"
    for found, row in zip(answer["bars"], DAYS[:-1], strict=True):
        assert_bar(found, row)


def test_M03_D02_count_back_outranks_from_and_an_empty_range_names_the_next(backend: Topology) -> None:
    end = seconds(DAYS[-1]["Date"]) + 86400
    query = f"symbol=AAPL&resolution=1D&from_time={end - 1}&to_time={end}&count_back=3"
    answer = backend.get(f"/api/v1/datafeed/bars?{query}").json()
    assert [bar["time"] for bar in answer["bars"]] == [seconds(row["Date"]) * 1000 for row in DAYS[-3:]]
    later = backend.get(f"/api/v1/datafeed/bars?symbol=AAPL&resolution=1D&from_time={end}&to_time={end + 9}").json()
    assert later == {"bars": [], "no_data": False, "nextTime": seconds(DAYS[-1]["Date"]) * 1000}
    before = backend.get("/api/v1/datafeed/bars?symbol=AAPL&resolution=1D&from_time=1&to_time=2").json()
    assert before == {"bars": [], "no_data": True}


REFUSALS = {
    "unknown symbol": ("GET", "/api/v1/datafeed/resolve/NOSUCH", 404, "Symbol not found"),
    "unknown symbol's bars": (
        "GET",
        "/api/v1/datafeed/bars?symbol=NO&resolution=1D&count_back=1",
        404,
        "Symbol not found",
    ),
    "not stored": ("GET", "/api/v1/datafeed/bars?symbol=AAPL&resolution=5&count_back=1", 400, None),
    "no resolution": ("GET", "/api/v1/datafeed/bars?symbol=AAPL&resolution=7Q&count_back=1", 400, None),
    "reversed": ("GET", "/api/v1/datafeed/bars?symbol=AAPL&resolution=1D&from_time=9&to_time=1", 400, None),
    "neither from nor count": ("GET", "/api/v1/datafeed/bars?symbol=AAPL&resolution=1D&to_time=9", 400, None),
    "missing parameter": ("GET", "/api/v1/datafeed/bars?resolution=1D", 422, None),
    "wrong type": ("GET", "/api/v1/datafeed/search?max_results=many", 422, None),
    "out of bounds": ("GET", "/api/v1/datafeed/search?max_results=101", 422, None),
    "no such route": ("GET", "/api/v1/broker/nothing", 404, "There is nothing at this path."),
    "no such module": ("GET", "/api/v1/nothing/health", 404, "There is nothing at this path."),
    "no such version": ("GET", "/api/v9/core/health", 404, "There is nothing at this path."),
    "a module's name alone": ("GET", "/api/v1/broker", 404, "There is nothing at this path."),
    "a module's folder": ("GET", "/api/v1/broker/", 404, "There is nothing at this path."),
    "a longer name": ("GET", "/api/v1/brokerX/health", 404, "There is nothing at this path."),
    "the root": ("GET", "/", 404, "There is nothing at this path."),
    "docs of no module": ("GET", "/docs", 404, "There is nothing at this path."),
    "a spec of no module": ("GET", "/openapi.json", 404, "There is nothing at this path."),
    "a file": ("GET", "/index.html", 404, "There is nothing at this path."),
    "wrong method": ("POST", "/api/v1/broker/account", 405, "This path does not take POST; it takes GET."),
    "wrong method of all": ("DELETE", "/api/v1/core/health", 405, "This path does not take DELETE; it takes GET."),
}


NAMED = ("unknown symbol", "unknown symbol's bars")
"""Refusals that say in `errors` what of the request they are about."""


@pytest.mark.parametrize("name", REFUSALS)
def test_M03_A08_every_refusal_is_a_problem_of_one_shape(backend: Topology, name: str) -> None:
    method, target, status, detail = REFUSALS[name]
    reply = backend.client.request(method, target, headers={"X-Request-ID": "conform-1"})
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert reply.headers.get_list("x-request-id") == ["conform-1"]
    document = reply.json()
    errors = document.pop("errors", [])
    assert set(document) == {"type", "title", "status", "detail", "instance", "request_id"}
    assert document["type"] == "about:blank"
    assert (document["status"], document["request_id"]) == (status, "conform-1")
    assert document["instance"] == target.partition("?")[0]
    assert document["detail"]
    assert detail is None or document["detail"] == detail
    assert bool(errors) == (status == 422 or name in NAMED)
    assert all(set(error) == {"location", "message"} for error in errors)


def test_M03_a_405_names_what_is_allowed(backend: Topology) -> None:
    assert backend.client.put("/api/v1/broker/account").headers["allow"] == "GET"


def test_M03_a_body_that_is_too_large_is_413_a_problem_and_one_byte_less_is_not(backend: Topology) -> None:
    limit = 1024**2
    reply = backend.client.post("/api/v1/broker/account", content=b"x" * (limit + 1))
    assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")
    assert (reply.json()["status"], reply.json()["title"]) == (413, "Content Too Large")
    assert reply.json()["request_id"] == reply.headers["x-request-id"]
    assert backend.client.post("/api/v1/broker/account", content=b"x" * limit).status_code == 405


def test_M03_A08_request_ids_are_made_kept_or_replaced(backend: Topology) -> None:
    assert backend.get("/api/v1/core/health", x_request_id="Mine_1.x-y").headers["x-request-id"] == "Mine_1.x-y"
    made = {backend.get("/api/v1/core/health").headers["x-request-id"] for _ in range(5)}
    assert len(made) == 5
    for bad in ("", "a b", "x" * 65, 'q"q', "a/b"):
        made.add(backend.get("/api/v1/core/health", x_request_id=bad).headers["x-request-id"])
    assert len(made) == 10
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)


@pytest.mark.parametrize("module", MODULES)
def test_M03_A04_every_module_has_docs_and_a_spec_of_its_own(backend: Topology, module: str) -> None:
    spec = backend.get(f"/api/v1/{module}/openapi.json").json()
    assert spec["openapi"].startswith("3.")
    assert {"/health", "/version", "/versions"} <= {path.removeprefix(f"/api/v1/{module}") for path in spec["paths"]}
    docs = backend.get(f"/api/v1/{module}/docs")
    assert (docs.status_code, docs.headers["content-type"]) == (200, "text/html; charset=utf-8")
    # The page finds its document also behind the gateway, where paths begin with the public prefix.
    assert f"/api/v1/{module}/openapi.json" in docs.text


def test_M03_an_options_request_is_answered_alike(backend: Topology) -> None:
    assert backend.client.options("/api/v1/core/health").status_code == 405


def test_M03_old_clients_and_odd_heads_are_served(backend: Topology) -> None:
    assert backend.raw(b"GET /api/v1/core/health HTTP/1.0\r\n\r\n").status == 200
    chunked = b"GET /api/v1/core/health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert backend.raw(chunked).status == 200
    assert backend.raw(b"GET /api/v1/core/%zz HTTP/1.1\r\nHost: a\r\n\r\n").status in (400, 404)


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with project_in(tmp_path_factory.mktemp("dev") / "project") as project:
        yield project


def test_M01_one_process_serves_every_module_and_starts_neither_nginx_nor_supervisord(small: Project) -> None:
    small.environment["NGINX"] = "/nowhere/nginx"
    with one_process(small) as running:
        for module in MODULES:
            assert running.get(f"/api/v1/{module}/health").json()["module_name"] == module
        assert len(small.processes()) == 1
        assert small.listening() == [small.port]
    small.assert_gone()


@pytest.mark.parametrize("chosen", [pytest.param("broker", marks=pytest.mark.long), "broker:v1"])
def test_M02_only_the_chosen_modules_and_core_are_served(small: Project, chosen: str) -> None:
    small.environment["ENABLED_MODULES"] = chosen
    with one_process(small, ready="broker") as running:
        assert running.get("/api/v1/broker/account").status_code == 200
        assert running.get("/api/v1/core/health").status_code == 200
        assert running.get("/api/v1/datafeed/health").status_code == 404


def test_M02_an_unknown_module_or_version_is_named_and_nothing_starts(small: Project) -> None:
    small.write()
    for chosen, word in (("brokr", "did you mean 'broker'"), ("broker:v9", "broker:v9")):
        small.environment["ENABLED_MODULES"] = chosen
        done = small.run("dev", small.config_name)
        assert done.returncode != 0
        assert word in done.stdout + done.stderr
    small.assert_gone()


@pytest.mark.parametrize("path", ["/api/v1/broker/account", "/api/v1/datafeed/config", "/api/v1/broker/none"])
def test_M03_head_answers_as_get_does_but_for_the_content(backend: Topology, path: str) -> None:
    get, head = backend.client.get(path), backend.client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) > 0
