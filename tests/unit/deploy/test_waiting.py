"""Waiting for health: deaths are noticed at once, deadlines hold, and the failure tells the log (P03, P04)."""

import time
from pathlib import Path

import pytest
from support.fake_supervisor import FakeSupervisor
from support.plans import make_plan

from deploy.plan import Plan
from deploy.runtime import waiting
from deploy.runtime.health import Answer
from deploy.runtime.progress import Silent
from deploy.runtime.start_logs import StartLogs
from deploy.runtime.waiting import Failure, StartFailed, wait_gateway, wait_healthy

Monkey = pytest.MonkeyPatch
RUNNING = dict.fromkeys(("core:core-0", "broker:broker-0", "broker:broker-1", "datafeed:datafeed-0"), "STARTING")


class Recorded(Silent):
    """Remembers what each process was said to be."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def process(self, name: str, state: str, detail: str = "") -> None:  # noqa: ARG002 (its signature)
        self.events.append((name, state))


def _answers(monkeypatch: Monkey, ill: dict[int, Answer]) -> None:
    """Every port is healthy but for those in `ill`."""

    def probe(host: str, port: int, path: str, timeout: float) -> Answer:
        return ill.get(port, Answer(True))

    monkeypatch.setattr(waiting, "ask", probe)


def _plan(tmp_path: Path) -> Plan:
    plan = make_plan(tmp_path)
    plan.layout.logs.mkdir(parents=True)
    return plan


def test_P04_a_dead_process_fails_at_once_with_its_reason_and_last_lines(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    (plan.layout.logs / "broker-1.log").write_text("one\n" * 50 + "ImportError: no module named x\n")
    _answers(monkeypatch, {8002: Answer(False, "nothing listens")})
    client = FakeSupervisor({**RUNNING, "broker:broker-1": "BACKOFF"})
    with pytest.raises(StartFailed) as raised:
        wait_healthy(plan, plan.servers(), client, time.monotonic() + 60, Silent())
    (failure,) = raised.value.failures
    assert failure.name == "broker:broker-1"
    assert failure.reason == "died while starting: ImportError: no module named x"
    assert len(failure.lines) == 25
    assert failure.lines[-1] == "ImportError: no module named x"


def test_P04_a_process_that_died_and_was_started_again_at_once_is_dead(monkeypatch: Monkey, tmp_path: Path) -> None:
    """One that lived for a second (`startsecs`) is in no state between its lives that could be seen."""
    plan = _plan(tmp_path)
    (plan.layout.logs / "broker-1.log").write_text("ImportError: no module named x\nstarting\n")
    _answers(monkeypatch, {8002: Answer(False, "nothing listens")})
    client = FakeSupervisor({**RUNNING, "broker:broker-1": "RUNNING"})
    client.pids["broker:broker-1"] = [0, 70, 70, 71]
    with pytest.raises(StartFailed) as raised:
        wait_healthy(plan, plan.servers(), client, time.monotonic() + 60, Silent())
    (failure,) = raised.value.failures
    assert (failure.name, failure.reason) == (
        "broker:broker-1",
        "died while starting: ImportError: no module named x",
    )


def _dead_broker(plan: Plan, monkeypatch: Monkey, logs: StartLogs) -> Failure:
    _answers(monkeypatch, {8002: Answer(False, "nothing listens")})
    client = FakeSupervisor({**RUNNING, "broker:broker-1": "BACKOFF"})
    with pytest.raises(StartFailed) as raised:
        wait_healthy(plan, plan.servers(), client, time.monotonic() + 60, Silent(), logs=logs)
    (failure,) = raised.value.failures
    return failure


def test_P04_what_an_earlier_life_wrote_is_not_told(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    log = plan.layout.logs / "broker-1.log"
    log.write_text("[2026-01-01T00:00:00Z] [ERROR] a: of yesterday\nfine\n")
    logs = StartLogs.from_now(plan)
    with log.open("a") as file:
        file.write("starting\nImportError: no module named x\n")
    failure = _dead_broker(plan, monkeypatch, logs)
    assert failure.reason == "died while starting: ImportError: no module named x"
    assert failure.lines == ("starting", "ImportError: no module named x")


def test_P04_a_process_that_dies_in_silence_is_not_told_by_yesterdays_error(
    monkeypatch: Monkey, tmp_path: Path
) -> None:
    plan = _plan(tmp_path)
    (plan.layout.logs / "broker-1.log").write_text("ImportError: of yesterday\n")
    failure = _dead_broker(plan, monkeypatch, StartLogs.from_now(plan))
    assert failure.reason == "died while starting: Exited too quickly"
    assert failure.lines == ()


@pytest.mark.parametrize("is_there", [True, False], ids=["rotated", "new"])
def test_P04_a_log_that_began_anew_is_told_whole(monkeypatch: Monkey, tmp_path: Path, is_there: bool) -> None:
    plan = _plan(tmp_path)
    log = plan.layout.logs / "broker-1.log"
    if is_there:
        log.write_text("old\n")
    logs = StartLogs.from_now(plan)
    if is_there:
        log.rename(log.with_name("broker-1.log.1"))
    log.write_text("ValueError: longer than what was there\n")
    assert _dead_broker(plan, monkeypatch, logs).lines == ("ValueError: longer than what was there",)


def test_P04_all_that_are_late_are_told_with_what_was_last_seen(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    _answers(monkeypatch, {8001: Answer(False, "answered 503"), 8003: Answer(False, "no answer within 1 s")})
    with pytest.raises(StartFailed) as raised:
        wait_healthy(plan, plan.servers(), FakeSupervisor(RUNNING), time.monotonic() + 0.2, Silent())
    told = {failure.name: failure.reason for failure in raised.value.failures}
    assert set(told) == {"broker:broker-0", "datafeed:datafeed-0"}
    assert told["broker:broker-0"].endswith("answered 503")
    assert "start_deadline" in told["datafeed:datafeed-0"]


def test_P03_a_long_wait_tells_who_is_waited_for_and_why(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan, progress = _plan(tmp_path), Recorded()
    _answers(monkeypatch, {8003: Answer(False, "nothing listens")})
    monkeypatch.setattr(waiting, "_PATIENCE_S", 0.05)
    with pytest.raises(StartFailed):
        wait_healthy(plan, plan.servers(), FakeSupervisor(RUNNING), time.monotonic() + 0.4, progress)
    assert progress.notes
    expected = "datafeed:datafeed-0 is not healthy yet: nothing listens (waiting 0 s more)"
    assert set(progress.notes) == {expected}


def test_P04_a_process_that_supervisord_does_not_know_is_a_failure(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    _answers(monkeypatch, {8004: Answer(False)})
    states = {name: state for name, state in RUNNING.items() if name != "core:core-0"}
    with pytest.raises(StartFailed, match="core:core-0: supervisord does not know it"):
        wait_healthy(plan, plan.servers(), FakeSupervisor(states), time.monotonic() + 60, Silent())


def test_P03_each_healthy_process_is_told_and_confirmed_once(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan, progress, client = _plan(tmp_path), Recorded(), FakeSupervisor(RUNNING)
    _answers(monkeypatch, {})
    wait_healthy(plan, plan.servers(), client, time.monotonic() + 60, progress)
    assert sorted(client.calls, key=str) == sorted((("confirm", [name]) for name in RUNNING), key=str)
    assert {name for name, state in progress.events if state == "healthy"} == set(RUNNING)


def test_P03_the_gateway_must_answer_for_every_module(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan, asked = _plan(tmp_path), list[str]()

    def probe(host: str, port: int, path: str, timeout: float) -> Answer:
        asked.append(path)
        return Answer(False, "answered 502") if "datafeed" in path else Answer(True)

    monkeypatch.setattr(waiting, "ask", probe)
    with pytest.raises(StartFailed, match="GET /api/v1/datafeed/health through the gateway: answered 502"):
        wait_gateway(plan, FakeSupervisor({"nginx:nginx": "RUNNING"}), time.monotonic() + 0.1, Silent())
    assert {"/api/v1/core/health", "/api/v1/broker/health", "/api/v2/broker/health"} <= set(asked)


def test_P04_a_gateway_that_dies_is_not_waited_for(monkeypatch: Monkey, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    (plan.layout.logs / "nginx.log").write_text("nginx: [emerg] bind() failed\n")
    _answers(monkeypatch, {8000: Answer(False, "nothing listens")})
    with pytest.raises(StartFailed, match=r"nginx: died while starting: .*bind\(\) failed"):
        wait_gateway(plan, FakeSupervisor({"nginx:nginx": "BACKOFF"}), time.monotonic() + 60, Silent())
