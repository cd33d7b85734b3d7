"""The contracts of an earlier revision, out of git: what clients were last told."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trading_api.codegen.differ.document import Node
from trading_api.codegen.documents import SpecName, parse, spec_name
from trading_api.codegen.site import SPECS

_TIMEOUT_S = 20.0


class NoBaseline(Exception):
    """There is no earlier revision to compare with; the text says why."""


@dataclass(frozen=True)
class Baseline:
    """The documents at `revision`."""

    revision: str
    documents: dict[SpecName, Node]


def read_baseline(package: Path, revision: str | None) -> Baseline:
    """The contracts at `revision`; by default at the newest reachable tag `v*`, or HEAD where there is none.

    Raises NoBaseline: no git, no repository, or not this revision (a shallow clone).
    """
    chosen = revision or _newest_tag(package) or "HEAD"
    if revision and revision.startswith("-"):
        raise NoBaseline(f"{revision!r} is no revision")
    listing = _git(package, "ls-tree", "-r", "--name-only", "-z", chosen, "--", "modules/")
    paths = [path for path in listing.decode().split("\0") if f"/{SPECS}/" in path]
    documents = {}
    for path, content in _contents(package, chosen, paths):
        name, document = spec_name(path.rpartition("/")[2]), parse(content)
        if name is not None and document is not None:
            documents[name] = document
    return Baseline(chosen, documents)


def _newest_tag(package: Path) -> str | None:
    try:
        return _git(package, "describe", "--tags", "--match", "v*", "--abbrev=0").decode().strip() or None
    except NoBaseline:
        return None


def _contents(package: Path, revision: str, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    """Path → content, of all files in one call. `:./` makes a path relative to the folder that git runs in."""
    if not paths:
        return
    asked = "".join(f"{revision}:./{path}\n" for path in paths)
    answer = _git(package, "cat-file", "--batch", stdin=asked.encode())
    for path in paths:
        header, _, answer = answer.partition(b"\n")
        words = header.split()
        if len(words) != 3 or not words[2].isdigit():
            continue
        size = int(words[2])
        yield path, answer[:size]
        answer = answer[size + 1 :]


def _git(package: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What git prints, run in the folder of the package. Raises NoBaseline."""
    argv = ["git", "-C", str(package), *arguments]
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoBaseline(f"git cannot be run: {error}") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoBaseline(words[0] if words else f"git ended with {done.returncode}")
    return done.stdout
