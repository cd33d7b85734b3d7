"""The datafeed's topics that the broker holds over one connection, kept equal to what it wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count

# The datafeed takes so many subscriptions of one connection. Quotes of more symbols are asked for otherwise.
MAX_HELD = 1000
# Requests that wait for their answers.
WINDOW = 32
# What was refused is tried again.
_RETRY_S = 5.0
# The datafeed takes fifty messages a second and counts those that end a subscription.
_REST_S = 0.04


class Subscriptions:
    """Those of one connection. Decides what to send next; who sends it is another's affair."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` tells monotonic seconds."""
        self._clock = clock
        self._wanted: frozenset[str] = frozenset()
        self._held: set[str] = set()
        self._asked: dict[int, tuple[str, bool]] = {}
        self._refused: dict[str, float] = {}
        self._numbers = count(1)
        self._rests_until = 0.0

    def holds(self, symbol: str) -> bool:
        """Whether the quotes of a symbol come."""
        return symbol in self._held

    def want(self, symbols: frozenset[str]) -> None:
        """From now on it should be these."""
        self._wanted = symbols

    def reset(self) -> None:
        """The connection has ended, and with it all that was held."""
        self._held.clear()
        self._asked.clear()
        self._refused.clear()

    def next_frames(self) -> Iterator[str]:
        """What is to be sent now; each counts as sent. What is given up goes first, for it makes room."""
        asked = {symbol for symbol, _ in self._asked.values()}
        surplus = self._held - self._wanted
        if surplus and self._clock() >= self._rests_until:
            yield self._end(min(surplus))
        for symbol in sorted(self._wanted - self._held - asked):
            # Those that end count until they have.
            if len(self._asked) >= WINDOW or len(self._held) + len(self._asked) >= MAX_HELD:
                return
            if self._refused.get(symbol, 0.0) <= self._clock():
                yield self._frame(symbol, begin=True)

    def wait_s(self) -> float | None:
        """In how many seconds `next_frames` may have more to send; None: only when something comes or changes."""
        now, times = self._clock(), list[float]()
        if self._held - self._wanted:
            times.append(self._rests_until)
        times += [at for symbol, at in self._refused.items() if symbol in self._wanted and symbol not in self._held]
        later = [at - now for at in times if at > now]
        return min(later, default=None)

    def answered(self, number: object, *, ok: bool) -> None:
        """The answer to a frame came: its `id`, and whether the request was met."""
        if not isinstance(number, int) or number not in self._asked:
            return
        symbol, begin = self._asked.pop(number)
        if begin and not ok:
            self._refused[symbol] = self._clock() + _RETRY_S
            return
        if begin:
            self._refused.pop(symbol, None)
        elif not ok:
            self._rests_until = self._clock() + _RETRY_S
        if begin or not ok:
            # An end that was refused leaves it held.
            self._held.add(symbol)

    def _end(self, symbol: str) -> str:
        self._held.discard(symbol)
        self._rests_until = self._clock() + _REST_S
        return self._frame(symbol, begin=False)

    def _frame(self, symbol: str, *, begin: bool) -> str:
        number = next(self._numbers)
        self._asked[number] = (symbol, begin)
        action = "subscribe" if begin else "unsubscribe"
        payload = {"fast_symbols": [symbol]}
        return json.dumps({"type": f"quotes.{action}", "payload": payload, "id": number}, separators=(",", ":"))
