"""The runtime of generated clients: how long a stream waits for its next connection, and when it gives up (G04)."""

import pytest

from trading_api.codegen.client_runtime import Dice, StreamPolicy, TransportError
from trading_api.codegen.client_runtime.stream_backoff import Backoff
from trading_api.codegen.client_runtime.stream_socket import ConnectionLost


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


LOST = ConnectionLost(1006, "gone")
# Draws the longest delay there is.
DICE = Dice(uniform=lambda _low, high: high)


def backoff(clock: Clock, **policy: float) -> Backoff:
    return Backoff(StreamPolicy(**policy), DICE, clock)  # type: ignore[arg-type]


def test_G04_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    waits = backoff(Clock())
    assert [waits.delay(LOST) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_G04_a_connection_that_lasted_begins_anew_and_a_short_one_does_not() -> None:
    clock = Clock()
    waits = backoff(clock)
    for _ in range(3):
        waits.delay(LOST)
    waits.connected()
    clock.now += 9
    assert waits.delay(LOST) == 1.6
    waits.connected()
    clock.now += 10
    assert waits.delay(LOST) == 0.2


def test_G04_breaking_the_servers_rules_makes_for_a_longer_wait() -> None:
    clock = Clock()
    waits = backoff(clock)
    waits.connected()
    clock.now += 60
    assert waits.delay(ConnectionLost(1008, "slow consumer")) == 3.2
    waits.connected()
    clock.now += 60
    assert waits.delay(ConnectionLost(1012, "restart")) == 0.2


def test_G04_what_never_worked_has_no_patience_here_and_a_lost_connection_is_tried_for_ever() -> None:
    clock = Clock()
    waits = backoff(clock, give_up_after=5)
    waits.delay(LOST)
    clock.now += 10**6
    assert waits.delay(LOST) > 0, "a first subscription counts its own time"
    waits = backoff(clock)
    waits.connected()
    waits.delay(LOST, served=True)
    clock.now += 10**6
    assert waits.delay(LOST) > 0


def test_G04_patience_with_a_lost_connection_counts_from_its_loss() -> None:
    clock = Clock()
    waits = backoff(clock, give_up_after=3)
    waits.connected()
    clock.now += 1000
    waits.delay(LOST, served=True)
    clock.now += 2.9
    waits.delay(LOST)
    clock.now += 0.1
    with pytest.raises(TransportError, match="no connection for 3 s: 1006 gone"):
        waits.delay(LOST)


def test_G04_a_server_that_only_lets_connect_uses_up_patience() -> None:
    clock = Clock()
    waits = backoff(clock, give_up_after=3)
    waits.connected()
    waits.delay(LOST, served=True)
    clock.now += 2
    waits.connected()
    clock.now += 1
    with pytest.raises(TransportError, match="3 s: 1008 go away"):
        waits.delay(ConnectionLost(1008, "go away"))


def test_G04_no_patience_at_all_gives_up_at_the_first_failure_after_a_loss() -> None:
    waits = backoff(Clock(), give_up_after=0)
    waits.connected()
    waits.delay(LOST, served=True)
    with pytest.raises(TransportError, match="0 s"):
        waits.delay(LOST)
