"""What `backend-manager logs` shows: the last lines of several logs in the order of time, then all that follows."""

import json
import os
import select
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from deploy.runtime.logs.history import decode, last_lines, lines_before
from deploy.runtime.logs.merger import NAME_WIDTH
from deploy.runtime.logs.sources import name_of
from deploy.runtime.logs.stamps import merge
from deploy.runtime.logs.tail import FileTail

__all__ = ["Format", "follow", "formatter", "last_lines", "merged", "show"]

Format = Callable[[str, str], str]
"""(process, line) -> what is printed for it, without a newline."""

Write = Callable[[str, str], None]

POLL_SECONDS = 0.1
_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
# Log lines quote what clients send; a terminal must not obey it. Tab stays.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x09}


def merged(paths: Iterable[Path], lines: int) -> list[tuple[str, str]]:
    """The last `lines` lines of each log as (name, line), in the order of their time stamps. Raises OSError."""
    return list(merge([(name_of(path), last_lines(path, lines)) for path in paths]))


def follow(
    paths: Callable[[], Sequence[Path]], write: Write, stop: Callable[[], bool], *, lines: int = 0, pause: float = 0.1
) -> None:
    """Write the last `lines` lines of each log, merged, then all new ones, until `stop` is true.

    `paths` is asked again in every round, so new logs are picked up; one that appears later is shown from its start.
    `pause` is the time in seconds between rounds without news. Raises OSError.
    """
    tails = {path: FileTail(path, at_end=True) for path in paths()}
    try:
        for name, line in merge([(name_of(path), lines_before(tail, lines)) for path, tail in tails.items()]):
            write(name, line)
        while not stop():
            tails |= {path: FileTail(path) for path in paths() if path not in tails}
            if not _write_new(tails, write):
                time.sleep(pause)
    finally:
        for tail in tails.values():
            tail.close()


def _write_new(tails: Mapping[Path, FileTail], write: Write) -> bool:
    news = [(name_of(path), decode(block)) for path, tail in tails.items() if (block := tail.read())]
    for name, line in merge(news):
        write(name, line)
    return bool(news)


def formatter(stream: TextIO, environ: Mapping[str, str], *, as_json: bool = False) -> Format:
    """How lines are shown on `stream`: `name >> line`, in colour on a terminal that wants it, or JSON objects."""
    if as_json:
        return _as_json
    wants_colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return _in_colour if wants_colour and stream.isatty() else _plain


def _as_json(name: str, line: str) -> str:
    return json.dumps({"process": name, "line": line}, ensure_ascii=False)


def _plain(name: str, line: str) -> str:
    return f"{name.ljust(NAME_WIDTH)} >> {line.translate(_CONTROL)}"


def _in_colour(name: str, line: str) -> str:
    colour = _COLOURS[zlib.crc32(name.encode()) % len(_COLOURS)]
    return f"\x1b[{colour}m{name.ljust(NAME_WIDTH)} >>\x1b[0m {line.translate(_CONTROL)}"


def show(
    paths: Callable[[], Sequence[Path]],
    stream: TextIO,
    form: Format,
    *,
    lines: int,
    following: bool,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Print the last `lines` lines of each log to `stream`, and go on when `following`.

    Ends quietly on Ctrl-C and when the reader of a pipe (`| head`) has gone, even if nothing is printed any more.
    Raises OSError when a log cannot be read.
    """

    def write(name: str, line: str) -> None:
        stream.write(form(name, line) + "\n")
        stream.flush()

    def ended() -> bool:
        return stop() or _reader_gone(stream)

    try:
        if following:
            follow(paths, write, ended, lines=lines, pause=POLL_SECONDS)
            return
        stream.writelines(form(name, line) + "\n" for name, line in merged(paths(), lines))
        stream.flush()
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        _discard(stream)


def _reader_gone(stream: TextIO) -> bool:
    try:
        descriptor = stream.fileno()
    except OSError:
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _discard(stream: TextIO) -> None:
    """Point `stream` at nothing, or the interpreter complains when it flushes the rest at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)
