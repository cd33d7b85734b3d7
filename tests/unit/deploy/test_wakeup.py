"""supervisord's poll ends at once when there is something to do (P09: quick restarts, P05: quick stops)."""

import os
import select
import signal
from collections.abc import Iterator

import pytest

from deploy.listeners import wakeup
from deploy.listeners.wakeup import Wakeup


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, object]]:
    """A socket map with the one Wakeup of the process in it; taken out again afterwards."""
    made: list[Wakeup] = []
    monkeypatch.setattr(wakeup, "_installed", made)
    former = signal.set_wakeup_fd(-1)
    sockets: dict[int, object] = {}
    wakeup.install(sockets)
    yield sockets
    os.close(signal.set_wakeup_fd(former))
    for fd in sockets:
        os.close(fd)


def _is_readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def test_P09_a_poke_makes_it_readable_until_it_was_read(installed: dict[int, object]) -> None:
    ((fd, dispatcher),) = installed.items()
    assert isinstance(dispatcher, Wakeup)
    assert (dispatcher.readable(), dispatcher.writable()) == (True, False)
    assert not _is_readable(fd)
    wakeup.poke()
    assert _is_readable(fd)
    dispatcher.handle_read_event()
    assert not _is_readable(fd)
    dispatcher.handle_read_event()


def test_P09_any_number_of_pokes_never_blocks(installed: dict[int, object]) -> None:
    for _ in range(100_000):
        wakeup.poke()
    assert _is_readable(next(iter(installed)))


def test_P05_a_signal_makes_it_readable(installed: dict[int, object]) -> None:
    former = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, former)
    assert _is_readable(next(iter(installed)))


def test_P02_a_second_interface_of_the_same_process_shares_it(installed: dict[int, object]) -> None:
    again: dict[int, object] = {}
    wakeup.install(again)
    assert again == installed
