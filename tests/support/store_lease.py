"""A process that competes for a lease, and tests' hold on it: `python store_lease.py URL NAME HOLDER`.

It tells what happens to it as JSON lines with the monotonic clock, which all processes of a machine share. Standard
input takes commands: `write` (a row, fenced), `open` (the same, but it waits for `commit` before it commits).
"""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, column, insert, select, table
from support.waiting import wait_until

from trading_api.shared.lease import Lease, LeaseLost
from trading_api.shared.lease_keeper import LeaseKeeper
from trading_api.shared.store.engine import open_engine, reading, writing
from trading_api.shared.store.errors import StoreError

# A table of the datafeed's, which serves here because it has a text and a number.
ROWS = table("replay_runs", column("key"), column("anchor_ms"))
Event = dict[str, str | float | int | None]


def write_row(connection: Connection, key: str, epoch: int) -> None:
    """What a holder writes in these tests; `key` is new."""
    connection.execute(insert(ROWS), {"key": key, "anchor_ms": epoch})


def written(engine: Engine) -> dict[str, int]:
    """Key and epoch of every row that was committed."""
    with reading(engine) as connection:
        assert connection is not None
        return {row.key: row.anchor_ms for row in connection.execute(select(ROWS))}


@dataclass
class LeaseProcess:
    """One competitor; `events` grows as it tells them."""

    process: subprocess.Popen[str]
    events: list[Event] = field(default_factory=list)

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def event(self, name: str, *, after: float = 0.0) -> Event | None:
        """The first event of that name later than `after`, if there is one yet."""
        return next((event for event in self.events if event["event"] == name and _at(event) > after), None)

    def wait_for(self, name: str, *, after: float = 0.0, timeout: float = 60.0) -> Event:
        return wait_until(lambda: self.event(name, after=after), timeout=timeout, what=name) or {}

    def send(self, number: signal.Signals) -> float:
        """Send a signal; returns when, on the monotonic clock. A paused one has stopped in all its threads then."""
        now = time.monotonic()
        os.kill(self.process.pid, number)
        if number == signal.SIGSTOP:
            # Sending is not stopping: without this it might read one more command.
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        return now

    def end(self) -> None:
        """However it is, it is gone afterwards."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)


def _at(event: Event) -> float:
    at = event["at"]
    assert isinstance(at, float)
    return at


def at(event: Event) -> float:
    """When it happened, on the monotonic clock."""
    return _at(event)


@contextmanager
def lease_process(url: str, name: str, holder: str) -> Iterator[LeaseProcess]:
    """Start one; it is ended with the block."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, "PYTHONPATH": folder}
    argv = [sys.executable, __file__, url, name, holder]
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    competitor = LeaseProcess(process)
    reader = threading.Thread(target=_collect, args=(competitor,))
    reader.start()
    try:
        competitor.wait_for("ready")
        yield competitor
    finally:
        competitor.end()
        reader.join(60)
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def _collect(competitor: LeaseProcess) -> None:
    assert competitor.process.stdout is not None
    for line in competitor.process.stdout:
        competitor.events.append(json.loads(line))


_speaking = threading.Lock()


def _say(event: str, **facts: str | int | None) -> None:
    line = json.dumps({"event": event, "at": time.monotonic(), **facts})
    # Two threads speak, and `print` writes a line in two parts.
    with _speaking:
        print(line, flush=True)


async def _compete(url: str, name: str, holder: str) -> None:
    engine = open_engine(url)
    keeper = LeaseKeeper(Lease(engine, name, holder=holder))
    keeper.on_change(lambda epoch: _say("held" if epoch else "not held", epoch=epoch))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    keeper.start()
    threading.Thread(target=_obey, args=(engine, keeper, holder), daemon=True).start()
    _say("ready")
    await stop.wait()
    await keeper.release()
    _say("released")
    engine.dispose()


def _listen(commands: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        commands.put(line.strip())


def _obey(engine: Engine, keeper: LeaseKeeper, holder: str) -> None:
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(commands,), daemon=True).start()
    for number in range(1_000_000):
        command = commands.get()
        try:
            with writing(engine) as connection:
                keeper.fence(connection)
                write_row(connection, f"{holder} {number}", keeper.epoch or -1)
                if command == "open":
                    _say("inside")
                    commands.get()
            _say("wrote", key=f"{holder} {number}")
        except LeaseLost:
            _say("lost", key=f"{holder} {number}")
        except StoreError as error:
            _say("failed", key=f"{holder} {number}", why=str(error))


if __name__ == "__main__":
    asyncio.run(_compete(*sys.argv[1:]))
