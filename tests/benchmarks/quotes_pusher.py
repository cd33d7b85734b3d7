"""Pushes quotes at a steady rate, in a process of its own: URL, rate, seconds, quotes a request; names on stdin."""

import json
import sys
import time

import httpx


def main() -> None:
    """Prints how long it took, in seconds: more than it should when requests take longer than their turn."""
    url, rate, seconds, batch = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    symbols = sys.stdin.read().split()
    requests = int(rate * seconds / batch)
    with httpx.Client(trust_env=False, timeout=30) as client:
        start = time.perf_counter()
        for number in range(requests):
            wait = start + number * batch / rate - time.perf_counter()
            time.sleep(max(0.0, wait))
            client.post(url, json=quotes(symbols, number * batch, batch)).raise_for_status()
        print(json.dumps({"seconds": max(seconds, time.perf_counter() - start)}))


def quotes(symbols: list[str], first: int, count: int) -> list[dict[str, object]]:
    """The next symbols in turn; the bid says when they were pushed."""
    ticks = time.monotonic_ns() // 100_000
    chosen = (symbols[(first + number) % len(symbols)] for number in range(count))
    return [{"symbol": symbol, "bid": ticks / 100, "ask": (ticks + 1) / 100, "last": ticks / 100} for symbol in chosen]


if __name__ == "__main__":
    main()
