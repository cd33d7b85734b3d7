"""The time of day."""

import time


def wall_clock() -> int:
    """Now, ms UTC."""
    return time.time_ns() // 1_000_000
