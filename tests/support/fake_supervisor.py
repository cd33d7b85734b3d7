"""A SupervisorClient that only remembers: what was asked of it, in order, and states that a test sets."""

from pathlib import Path

from deploy.listeners.digest import digest_of
from deploy.runtime.supervisor_client import Difference, ProcessInfo, SupervisorClient

NOTHING = Difference((), (), ())


def info_of(rpc_name: str, state: str = "RUNNING", pid: int = 4242) -> ProcessInfo:
    """What supervisord tells of a process."""
    group, _, name = rpc_name.partition(":")
    return ProcessInfo(name, group, state, pid, 100.0, 160.0, 0, "Exited too quickly")


class FakeSupervisor(SupervisorClient):
    """`states` by RPC name; `calls` are (method, argument). Started processes run, stopped ones stop, at once.

    `environment` is supervisord's own; None for a supervisord of an earlier version, which cannot tell. `pids` of a
    process are told one after the other, the last one for ever; without any it is 4242.
    """

    def __init__(self, states: dict[str, str], difference: Difference = NOTHING) -> None:
        super().__init__(Path("/nowhere"))
        self.states = dict(states)
        self.difference = difference
        self.calls: list[tuple[str, object]] = []
        self.environment: dict[str, str] | None = {}
        self.pids: dict[str, list[int]] = {}

    def pid(self) -> int:
        return 1

    def processes(self) -> list[ProcessInfo]:
        return [info_of(name, state, self._pid_of(name)) for name, state in self.states.items()]

    def _pid_of(self, name: str) -> int:
        pids = self.pids.get(name, [4242])
        return pids.pop(0) if len(pids) > 1 else pids[0]

    def compare(self, conf: Path | None = None) -> Difference:
        self.calls.append(("compare", conf))
        return self.difference

    def digest(self, name: str, nonce: str) -> str | None:
        return None if self.environment is None else digest_of(self.environment.get(name, ""), nonce)

    def adopt(self, names: list[str]) -> None:
        self.calls.append(("adopt", sorted(names)))
        self.states |= {name: "STOPPED" for name in names if name not in self.states}

    def start(self, name: str) -> None:
        self.calls.append(("start", name))
        self.states[name] = "RUNNING"

    def stop(self, names: list[str], timeout: float) -> None:  # noqa: ARG002 (its signature)
        self.calls.append(("stop", sorted(names)))
        self.states |= dict.fromkeys(names, "STOPPED")

    def confirm(self, names: list[str]) -> None:
        self.calls.append(("confirm", names))

    def signal(self, name: str, signal_name: str) -> None:
        self.calls.append((signal_name, name))
