"""Formats generated Python with black, in this process: its import is paid once."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from black.mode import Mode

LINE_LENGTH = 120


def formatted(text: str) -> str:
    """Python as `black` leaves it. Raises ValueError for what is not Python: the generator is wrong then."""
    import black
    from black.parsing import InvalidInput

    try:
        return black.format_str(text, mode=_mode())
    except InvalidInput as error:
        raise ValueError(f"generated code is not Python: {error}") from error


@cache
def _mode() -> "Mode":
    from black.mode import Mode, TargetVersion

    return Mode(target_versions={TargetVersion.PY311}, line_length=LINE_LENGTH)
