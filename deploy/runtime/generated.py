"""Has the backend's generated files brought up to date, or verified, before anything starts (M06)."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.errors import DeployError

_TIMEOUT_S = 120.0


class GenerationFailed(DeployError):
    """Generated files are stale and may not be written, or could not be. Nothing was started."""


def generate_argv(python: Path) -> list[str]:
    """The backend's own generator, which looks first and then waits for a word on its standard input."""
    return [str(python), "-P", "-m", "trading_api", "generate", "--ahead"]


class Generator:
    """The backend's generator in a process of its own, started before it is known what is wanted of it.

    Until `bring_up_to_date` it only reads. It ends with `close`.
    """

    def __init__(self, python: Path, config: Path, environ: Mapping[str, str]) -> None:
        self._argv = generate_argv(python)
        self._config = config
        self._environ = environ
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Generator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, unless the configuration is not there to be used anyway."""
        if self._config.is_file():
            self._process = self._spawn()

    def bring_up_to_date(self, modules: Iterable[str], *, write: bool) -> str:
        """Have what these modules need generated, or with `write` false only verified. Returns what it had to say.

        Raises GenerationFailed with the generator's own words: module, file and line, or the command to run.
        """
        process = self._process or self._spawn()
        self._process = None
        asked = json.dumps({"check": not write, "modules": sorted(modules)}) + "\n"
        with process:
            try:
                output, errors = process.communicate(asked, timeout=_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise GenerationFailed(f"generating took more than {_TIMEOUT_S:g} s; run: make generate") from None
            except BaseException:
                # Ctrl-C. It replaces files one at a time, each at once: ended anywhere, it leaves no half of one.
                process.kill()
                raise
        if process.returncode:
            raise GenerationFailed(_failure(output, errors, write=write))
        return output.strip()

    def close(self) -> None:
        """End what was started and never asked."""
        if self._process is not None:
            with self._process as process:
                process.kill()
            self._process = None

    def _spawn(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._argv,
            cwd=self._config.parent,
            env={**self._environ, "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Source for everybody who may read the rest; ours is for run-time state.
            umask=0o022,
        )


def _failure(output: str, errors: str, *, write: bool) -> str:
    what = "generated files could not be brought up to date" if write else "generated files are stale"
    words = [part for part in (output.strip(), errors.strip()) if part]
    command = "run: make generate"
    return "\n".join([f"{what}; nothing was started", *words, *([] if command in errors else [command])])
