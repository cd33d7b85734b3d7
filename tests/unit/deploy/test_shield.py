"""A second Ctrl-C does not cut the stopping in half (P04, P11)."""

import signal
import threading

import pytest

from deploy.runtime.shield import uninterrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_P04_signals_do_nothing_inside_and_what_they_did_before_afterwards(number: signal.Signals) -> None:
    seen: list[int] = []
    former = signal.signal(number, lambda received, _: seen.append(received))
    try:
        with uninterrupted():
            signal.raise_signal(number)
        assert seen == []
        signal.raise_signal(number)
        assert seen == [number]
    finally:
        signal.signal(number, former)


def test_P04_handlers_are_put_back_after_an_error() -> None:
    former = signal.getsignal(signal.SIGTERM)
    with pytest.raises(RuntimeError), uninterrupted():
        raise RuntimeError
    assert signal.getsignal(signal.SIGTERM) is former


def test_P04_in_another_thread_it_changes_nothing() -> None:
    ran: list[bool] = []

    def work() -> None:
        with uninterrupted():
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert ran == [True]
