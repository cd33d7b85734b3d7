"""A health watch on stand-ins: processes that a test starts, stops and silences, and a clock that it moves."""

import json
import signal
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from supervisor.states import ProcessStates, SupervisorStates
from support.fake_clock import FakeClock

from deploy.listeners.health_question import Question, Verdict
from deploy.listeners.health_rules import Target
from deploy.listeners.health_watch import HealthWatch

BROKER, CORE, BUS = "broker:broker-0", "core:core-0", "bus:bus"
COMMAND = "python -m trading_api serve --port {port}"
_PORTS = {BROKER: 8002, CORE: 8001, BUS: 4222}


@dataclass
class Config:
    command: str
    killasgroup: bool = True


@dataclass
class Process:
    """What the watch reads of supervisor's Subprocess."""

    config: Config
    pid: int = 100
    state: int = ProcessStates.RUNNING

    def get_state(self) -> int:
        return self.state


class FakeQuestion(Question):
    """Has no socket: it ends as the bench says, at once or at its deadline."""

    def __init__(self, bench: "Bench", target: Target, asked: float, timeout: float, number: int) -> None:
        self.target, self.asked, self.deadline = target, asked, asked + timeout
        self._bench, self._number = bench, number
        self.withdrawn = False

    def fileno(self) -> int:
        return self._number

    def readable(self) -> bool:
        return self._bench.verdicts.get(self.target.port, Verdict.ANSWERED) is Verdict.SILENT

    def verdict(self, now: float) -> Verdict | None:
        verdict = self._bench.verdicts.get(self.target.port, Verdict.ANSWERED)
        return None if verdict is Verdict.SILENT and now < self.deadline else verdict

    def withdraw(self, socket_map: dict[int, object], poller: object) -> None:  # noqa: ARG002 (its signature)
        del socket_map[self._number]
        self.withdrawn = True


@dataclass
class Bench:
    """`verdicts` by port: how questions end there (left out: answered). `signals` are (pid, signal), as sent."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    questions: list[FakeQuestion] = field(default_factory=list)
    signals: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    socket_map: dict[int, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.processes = {name: Process(Config(COMMAND.format(port=port))) for name, port in _PORTS.items()}
        self.options = SimpleNamespace(
            mood=SupervisorStates.RUNNING,
            poller=None,
            logger=SimpleNamespace(warn=self.warnings.append),
            get_socket_map=lambda: self.socket_map,
        )
        self.apply()
        self.watch = HealthWatch(
            SimpleNamespace(options=self.options, process_groups=self._groups()),
            self.tree_file,
            ask=self._ask,
            clock=self.clock,
            send=lambda process, number: self.signals.append((process.pid, signal.Signals(number).name)),
        )

    @property
    def tree_file(self) -> Path:
        return self.folder / "tree.json"

    def apply(self, *, failures: int = 3, **ports: int) -> None:
        """Write the applied plan: asked every 2 s with 1 s to answer, and a start may take 10 s."""
        document = {
            "start_deadline": 10.0,
            "health_interval": 2.0,
            "health_timeout": 1.0,
            "health_failures": failures,
            "processes": [self._row(name, ports.get(name.partition(":")[0])) for name in _PORTS],
        }
        # Of another size each time: two writes may fall into one tick of the file system's clock.
        self._written = getattr(self, "_written", 0) + 1
        self.tree_file.write_text(json.dumps(document) + " " * self._written, encoding="utf-8")

    def run(self, seconds: float, step: float = 1.0) -> None:
        """Let that much time pass; supervisord's rounds begin every `step` seconds."""
        end = self.clock.now + seconds - step / 2
        while self.clock.now < end:
            self.clock.now += step
            self.round()

    def round(self) -> None:
        assert self.watch.readable() is False

    def settle(self) -> None:
        """Everybody has answered, and nobody is being asked; the next questions are put in a second."""
        self.run(4)
        assert self.questions
        assert not self.signals

    def silence(self, name: str) -> None:
        self.verdicts[_PORTS[name]] = Verdict.SILENT

    def asked(self, name: str) -> list[float]:
        """When questions were put to it."""
        return [question.asked for question in self.questions if question.target.port == _PORTS[name]]

    def _row(self, name: str, port: int | None) -> dict[str, object]:
        group, _, member = name.partition(":")
        return {
            "full_name": member if member == group else name,
            "tier": group if group in ("bus", "core") else "modules",
            # The bus reads its port from a file.
            "command": COMMAND.format(port=_PORTS[name] if name == BUS else port or _PORTS[name]),
            "host": "127.0.0.1",
            "port": port or _PORTS[name],
            "health_path": None if name == BUS else "/api/v1/core/health",
        }

    def _groups(self) -> dict[str, object]:
        return {
            group: SimpleNamespace(config=SimpleNamespace(name=group), processes={member: self.processes[name]})
            for name in _PORTS
            for group, _, member in [name.partition(":")]
        }

    def _ask(self, target: Target, asked: float, timeout: float) -> Question:
        question = FakeQuestion(self, target, asked, timeout, 1000 + len(self.questions))
        self.questions.append(question)
        return question
