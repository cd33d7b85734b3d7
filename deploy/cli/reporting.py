"""How failures are told."""

import json
import os
import sys

from deploy.errors import ConfigError, DeployError
from deploy.runtime.generated import GenerationFailed
from deploy.runtime.waiting import Failure, StartFailed

# Of what the generator tells: as `generate --json` does.
_GENERATION = ("files", "changes", "failures", "notes")


def report(error: DeployError, *, as_json: bool) -> None:
    """Print `error` on standard error; with `as_json` one JSON object on standard output."""
    if as_json:
        print(json.dumps(_document(error), indent=2, ensure_ascii=False))
        return
    print(f"{_red('error')}: {_first_line(error)}", file=sys.stderr)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            print(problem.render(error.path), file=sys.stderr)
    elif isinstance(error, StartFailed):
        for failure in error.failures:
            _print_failure(failure)


def _first_line(error: DeployError) -> str:
    if isinstance(error, ConfigError):
        count = len(error.problems)
        return f"{count} problem{'s' if count != 1 else ''} in {error.path}; nothing was started or written"
    if isinstance(error, StartFailed):
        return f"the tree did not come up; {error.aftermath}"
    return str(error)


def _print_failure(failure: Failure) -> None:
    print(f"\n{failure.name}: {failure.reason}", file=sys.stderr)
    if failure.lines:
        print(f"last lines of {failure.log}:", file=sys.stderr)
    for line in failure.lines:
        print(f"  | {line}", file=sys.stderr)


def _document(error: DeployError) -> dict[str, object]:
    document: dict[str, object] = {"ok": False, "error": _first_line(error), "exit_code": error.exit_code}
    if isinstance(error, ConfigError):
        document["problems"] = [
            {
                "file": str(error.path),
                "line": p.line,
                "column": p.column,
                "key": p.key,
                "message": p.message,
                "hint": p.hint,
            }
            for p in error.problems
        ]
    if isinstance(error, GenerationFailed):
        document["error"] = error.summary
        document |= {key: error.document[key] for key in _GENERATION if key in error.document}
    if isinstance(error, StartFailed):
        document["failures"] = [
            {"process": f.name, "reason": f.reason, "log": str(f.log), "lines": f.lines} for f in error.failures
        ]
    return document


def _red(text: str) -> str:
    return f"\033[1;31m{text}\033[0m" if sys.stderr.isatty() and "NO_COLOR" not in os.environ else text
