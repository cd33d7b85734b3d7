"""The worked examples in the guide to the broker, to be run from its very text."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "paper-trading.md"
URL = "http://127.0.0.1:8000"
_PARTS = re.compile(
    r"^## (?P<heading>[^\n]*)$|^```python\n(?P<program>.*?)^```$(?:\n\n```\n(?P<shown>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Example:
    """A program, what the page says that it prints, and below which heading it stands."""

    heading: str
    program: str
    shown: str


def examples() -> list[Example]:
    """All of the page, in order."""
    heading, found = "", list[Example]()
    for part in _PARTS.finditer(GUIDE.read_text(encoding="utf-8")):
        heading = part["heading"] or heading
        if part["program"]:
            found.append(Example(heading, part["program"], part["shown"] or ""))
    return found


def outputs(url: str, chosen: list[Example]) -> list[str]:
    """What they print against the server at `url`, once the functions that they share are there."""
    names: dict[str, object] = {}
    shared = examples()[0].program
    assert shared.count(URL) == 1, "a program that shows the usual server"
    _run(shared.replace(URL, url), names)
    try:
        return [_run(example.program, names) for example in chosen]
    finally:
        _run("broker.close()\nhttp.close()", names)


def update(chosen: list[Example], printed: list[str]) -> None:
    """Have the page show what was printed."""
    text = GUIDE.read_text(encoding="utf-8")
    for example, output in zip(chosen, printed, strict=True):
        text = text.replace(_block(example.program, example.shown), _block(example.program, output))
    GUIDE.write_text(text, encoding="utf-8")


def _block(program: str, shown: str) -> str:
    return f"{program}```\n\n```\n{shown}```"


def _run(program: str, names: dict[str, object]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, str(GUIDE), "exec"), names)
    return printed.getvalue()
