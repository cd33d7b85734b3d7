"""What a run is asked to do."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from trading_api.codegen.stamp import Scope

UP_TO_DATE = "everything generated is up to date"
COMMAND = "make generate"


@dataclass(frozen=True, slots=True)
class Order:
    """`modules` empty: every one. `check`: write nothing. `quick`: only what serving needs, that is no clients.

    `output_dir`: also write everything there, ready to publish. `base`: the revision that a check compares with.
    """

    modules: tuple[str, ...] = ()
    check: bool = False
    quick: bool = False
    output_dir: Path | None = None
    base: str | None = None

    @property
    def command(self) -> str:
        """What to run for a check to find everything current."""
        if self.output_dir is None:
            return COMMAND
        # What the folder holds depends on the modules.
        chosen = f"modules={','.join(self.modules)} " if self.modules else ""
        return f"{COMMAND} {chosen}output_dir={shlex.quote(str(self.output_dir))}"

    @property
    def scope(self) -> Scope:
        """What is current after the run."""
        return Scope(frozenset(self.modules), self.quick)
