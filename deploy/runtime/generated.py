"""Has the backend's generated files brought up to date, or verified, before anything starts (M06)."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.errors import DeployError

_TIMEOUT_S = 120.0


class GenerationFailed(DeployError):
    """Generated files are stale and may not be written, or could not be. Nothing was started.

    `summary` is its one line, without the generator's own words; `document` what the generator tells programs.
    """

    def __init__(self, summary: str, words: Iterable[str] = (), document: Mapping[str, object] | None = None) -> None:
        super().__init__("\n".join([summary, *words]))
        self.summary = summary
        self.document = document or {}


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
        answer = _parsed(output)
        if process.returncode:
            raise _stale(answer) if answer.get("files") and not write else _failed(answer, output + errors)
        return "\n".join(_lines(answer, "told"))

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


def _parsed(output: str) -> dict[str, object]:
    """The generator's answer; empty where it had nothing to say, or did not come so far."""
    try:
        answer = json.loads(output)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _lines(answer: Mapping[str, object], key: str) -> list[str]:
    lines = answer.get(key)
    return [str(line) for line in lines] if isinstance(lines, list) else []


def _stale(answer: Mapping[str, object]) -> GenerationFailed:
    """Files are not what they must be, and may not be written here."""
    summary = "generated files are stale; nothing was started; run: make generate"
    return GenerationFailed(summary, _words(answer), answer)


def _failed(answer: Mapping[str, object], printed: str) -> GenerationFailed:
    """A mistake that generating again would only find again. `printed` is for a generator that could not answer."""
    words = _words(answer) if answer else printed.strip().splitlines()
    return GenerationFailed("generated files could not be brought up to date; nothing was started", words, answer)


def _words(answer: Mapping[str, object]) -> list[str]:
    return [*_lines(answer, "told"), *_lines(answer, "wrong")]
