"""What came of a run."""

from dataclasses import dataclass, field

from trading_api.codegen.contract_changes import SpecChange
from trading_api.codegen.files import FileChange
from trading_api.codegen.order import COMMAND


@dataclass(frozen=True, slots=True)
class Failure:
    """A module of which nothing was generated, and why (with file and line). An empty name: it concerns no module."""

    module: str
    reason: str


@dataclass
class Outcome:
    """`files`: written and removed, or in a check stale, missing and orphans. `changes`: of the contracts `since` a

    revision (None: since those on disk). `broken`: what breaks clients of the contracts at `base` (None: not compared).
    `current`: the stamp said it all. `command`: what brings stale files up to date.
    """

    check: bool = False
    command: str = COMMAND
    current: bool = False
    files: list[FileChange] = field(default_factory=list)
    changes: list[SpecChange] = field(default_factory=list)
    since: str | None = None
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    base: str | None = None
    broken: list[SpecChange] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything generated is current, and in a check no client of `base` is broken."""
        return not self.failures and not (self.check and self.files) and not self.broken
