"""The part that runs inside supervisord, on stand-ins for its objects (P06, P09)."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import supervisor.events as events
from supervisor.process import Subprocess
from supervisor.states import ProcessStates
from supervisor.xmlrpc import RPCError

from deploy.listeners import wakeup
from deploy.listeners.digest import digest_of
from deploy.listeners.health_watch import HealthWatch
from deploy.listeners.tree import TreeInterface, make_tree_interface


@dataclass
class Config:
    """What the interface reads of supervisor's ProcessConfig; equal when everything is."""

    name: str
    command: str = "run"
    startsecs: int = 1
    killasgroup: bool = True
    stdout_logfile: str = ""

    def make_process(self, group: "Group") -> "Process":
        return Process(self, group)


@dataclass
class GroupConfig:
    name: str
    priority: int
    process_configs: list[Config]

    def after_setuid(self) -> None:
        """supervisor opens log files here."""

    def make_group(self) -> "Group":
        return Group(self, {config.name: config for config in self.process_configs})


@dataclass
class Group:
    config: GroupConfig
    processes: dict[str, object] = field(default_factory=dict)


class Process:
    """The state machine of supervisor's Subprocess, as far as it is used."""

    event_map = Subprocess.event_map

    def __init__(self, config: Config, group: Group, state: int = ProcessStates.STOPPED) -> None:
        self.config, self.group, self.state = config, group, state
        self.pid = self.exitstatus = 0
        self.laststart = self.laststop = self.delay = self.backoff = 0.0
        self.spawnerr: str | None = None
        self.system_stop = False
        self.stopped = self.given_up = False

    def get_state(self) -> int:
        return self.state

    def change_state(self, state: int) -> None:
        former, self.state = self.state, state
        if event := self.event_map.get(state):
            events.notify(event(self, former))

    def stop(self) -> None:
        self.stopped, self.state = True, ProcessStates.STOPPING

    def give_up(self) -> None:
        self.given_up, self.state = True, ProcessStates.FATAL


class Supervisord:
    """One group `broker` with `broker-0` and `broker-1`, both running, and `core`."""

    def __init__(self, tmp_path: Path) -> None:
        log = str(tmp_path / "broker-0.log")
        self.broker = GroupConfig("broker", 300, [Config("broker-0", stdout_logfile=log), Config("broker-1")])
        self.core = GroupConfig("core", 200, [Config("core-0")])
        self.process_groups = {config.name: Group(config) for config in (self.broker, self.core)}
        for group in self.process_groups.values():
            for config in group.config.process_configs:
                group.processes[config.name] = Process(config, group, ProcessStates.RUNNING)
        self.options = SimpleNamespace(
            get_socket_map=dict,
            configfile="/etc/s.conf",
            process_group_configs=[self.broker, self.core],
            process_config=lambda **_: None,
        )

    def process(self, name: str) -> Process:
        group, _, member = name.partition(":")
        found = self.process_groups[group].processes[member]
        assert isinstance(found, Process)
        return found

    def configure(self, *groups: GroupConfig) -> None:
        """The file on disk now says this."""
        self.options.process_group_configs = list(groups)


@pytest.fixture
def supervisord(tmp_path: Path) -> Supervisord:
    return Supervisord(tmp_path)


@pytest.fixture
def interface(supervisord: Supervisord, monkeypatch: pytest.MonkeyPatch) -> Iterator[TreeInterface]:
    """The interface, subscribed to supervisor's events for this test only."""
    monkeypatch.setattr(wakeup, "install", lambda _map: None)
    events.clear()
    yield TreeInterface(supervisord)
    events.clear()


def test_P06_compare_tells_processes_apart_not_groups(interface: TreeInterface, supervisord: Supervisord) -> None:
    broker = GroupConfig("broker", 300, [Config("broker-1", command="other"), Config("broker-2")])
    supervisord.configure(broker, supervisord.core)
    assert interface.compare() == {
        "added": ["broker:broker-2"],
        "changed": ["broker:broker-1"],
        "removed": ["broker:broker-0"],
    }
    supervisord.configure(supervisord.broker, GroupConfig("core", 250, [Config("core-0")]))
    assert interface.compare()["changed"] == ["core:core-0"], "another tier is a change as well"


def test_P06_a_file_that_supervisor_refuses_changes_nothing(interface: TreeInterface, supervisord: Supervisord) -> None:
    known = supervisord.options.process_group_configs

    def refuse(do_usage: bool) -> None:
        supervisord.options.process_group_configs = []
        raise ValueError("no section")

    supervisord.options.process_config = refuse
    with pytest.raises(RPCError) as raised:
        interface.compare("/candidate")
    assert "no section" in raised.value.text
    assert supervisord.options.process_group_configs is known
    assert supervisord.options.configfile == "/etc/s.conf"


def test_P06_adopt_adds_replaces_and_drops_the_named_ones_only(
    interface: TreeInterface, supervisord: Supervisord
) -> None:
    untouched = supervisord.process("broker:broker-1")
    for name in ("broker:broker-0", "core:core-0"):
        supervisord.process(name).state = ProcessStates.STOPPED
    supervisord.configure(
        GroupConfig("broker", 300, [Config("broker-0", "new"), Config("broker-1"), Config("broker-2")])
    )
    assert interface.adopt(["broker:broker-0", "broker:broker-2", "core:core-0"])
    assert supervisord.process("broker:broker-0").config.command == "new"
    assert supervisord.process("broker:broker-2").state == ProcessStates.STOPPED
    assert supervisord.process("broker:broker-1") is untouched
    assert "core" not in supervisord.process_groups


def test_P06_adopt_refuses_to_touch_what_runs(interface: TreeInterface, supervisord: Supervisord) -> None:
    supervisord.process("broker:broker-0").state = ProcessStates.STOPPED
    before = supervisord.process("broker:broker-0")
    with pytest.raises(RPCError) as raised:
        interface.adopt(["broker:broker-0", "core:core-0"])
    assert "core:core-0" in raised.value.text
    assert supervisord.process("broker:broker-0") is before


def test_D03_supervisord_tells_whether_it_holds_a_variable_and_never_its_value(
    interface: TreeInterface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_SECRET", "s3cret-\u00fc")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("MISSING", raising=False)
    told = interface.digest("THE_SECRET", "nonce")
    assert told == digest_of("s3cret-\u00fc", "nonce")
    assert len(told) == 64
    assert len({told, interface.digest("THE_SECRET", "another"), digest_of("s3cret", "nonce")}) == 3
    assert (interface.digest("EMPTY", "nonce"), interface.digest("MISSING", "nonce")) == ("", "")


def test_P05_stop_gives_its_own_time_and_ends_a_retry(interface: TreeInterface, supervisord: Supervisord) -> None:
    running, retrying = supervisord.process("broker:broker-0"), supervisord.process("broker:broker-1")
    retrying.state = ProcessStates.BACKOFF
    stopped = supervisord.process("core:core-0")
    stopped.state = ProcessStates.STOPPED
    assert interface.stop(["broker:broker-0", "broker:broker-1", "core:core-0", "no:such"], 100.0)
    assert running.stopped
    assert running.delay > 1_000_000_000
    assert retrying.given_up
    assert not stopped.stopped


def test_P03_only_what_starts_is_confirmed_as_running(interface: TreeInterface, supervisord: Supervisord) -> None:
    states = {"core:core-0": ProcessStates.STARTING, "broker:broker-0": ProcessStates.BACKOFF}
    for name, state in states.items():
        supervisord.process(name).state = state
    interface.confirm([*states, "no:such"])
    assert supervisord.process("core:core-0").state == ProcessStates.RUNNING
    assert supervisord.process("broker:broker-0").state == ProcessStates.BACKOFF


def _dies(process: Process, status: int, life: float = 2.0) -> None:
    process.laststart, process.laststop, process.exitstatus = 1000.0, 1000.0 + life, status
    process.state = ProcessStates.RUNNING
    process.change_state(ProcessStates.EXITED)
    if process.state == ProcessStates.EXITED:
        process.change_state(ProcessStates.STARTING)


def test_P09_the_fourth_short_life_is_the_last_and_its_reason_is_told(
    interface: TreeInterface, supervisord: Supervisord, tmp_path: Path
) -> None:
    process = supervisord.process("broker:broker-0")
    (tmp_path / "broker-0.log").write_text("ValueError: bad data\n")
    for _ in range(3):
        _dies(process, 1)
    assert process.state == ProcessStates.STARTING
    assert interface.overview()["broker:broker-0"] == {"priority": 300, "restarts": 3}
    _dies(process, 1)
    assert process.state == ProcessStates.FATAL
    assert process.spawnerr == "keeps dying: ValueError: bad data"
    assert interface.overview()["broker:broker-1"]["restarts"] == 0


@pytest.mark.parametrize(("status", "life"), [(-9, 2.0), (1, 11.0)], ids=["killed from outside", "long lives"])
def test_P09_other_deaths_are_always_restarted(
    interface: TreeInterface, supervisord: Supervisord, status: int, life: float
) -> None:
    process = supervisord.process("broker:broker-0")
    for _ in range(10):
        _dies(process, status, life)
    assert process.state == ProcessStates.STARTING


@pytest.mark.parametrize("state", [ProcessStates.EXITED, ProcessStates.BACKOFF])
def test_P09_what_a_dead_leader_left_of_its_group_is_ended(
    interface: TreeInterface, supervisord: Supervisord, monkeypatch: pytest.MonkeyPatch, state: int
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr("os.killpg", lambda group, number: killed.append((group, number)))
    process = supervisord.process("broker:broker-0")
    process.pid = 777
    process.change_state(state)
    single = supervisord.process("core:core-0")
    single.pid, single.config.killasgroup = 778, False
    single.change_state(state)
    assert killed == [(777, signal.SIGKILL)]


def test_P09_who_was_seen_healthy_is_watched_from_then_on(
    supervisord: Supervisord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup, "install", lambda _map: None)
    confirmed: list[list[str]] = []
    watch = cast("HealthWatch", SimpleNamespace(confirm=confirmed.append))
    assert TreeInterface(supervisord, watch).confirm(["broker:broker-0"])
    events.clear()
    assert confirmed == [["broker:broker-0"]]


def test_P09_the_watch_joins_the_loop_where_the_configuration_names_a_plan(
    supervisord: Supervisord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup, "install", lambda _map: None)
    loop: dict[int, object] = {}
    supervisord.options.get_socket_map = lambda: loop
    make_tree_interface(supervisord)
    assert loop == {}, "a configuration of an earlier version"
    make_tree_interface(supervisord, "tree.json")
    events.clear()
    ((number, watch),) = loop.items()
    assert isinstance(watch, HealthWatch)
    assert number < 0, "no file's"
