"""What a benchmark reports."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One figure. `limit` is the most (or, with `at_least`, the least) that the project promises; None: only told."""

    name: str
    values: tuple[float, ...]
    unit: str
    limit: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        if self.limit is None:
            return None
        return self.median >= self.limit if self.at_least else self.median <= self.limit

    def promise(self) -> str:
        """`≤ 1.6`, `≥ 0.9`, or nothing."""
        return "" if self.limit is None else f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "runs": len(self.values),
            "limit": self.limit,
            "kept": self.kept,
        }


def ratios(first: Sequence[float], second: Sequence[float]) -> tuple[float, ...]:
    """Pair by pair, so that a machine whose speed drifts does not matter."""
    return tuple(a / b for a, b in zip(first, second, strict=True))
