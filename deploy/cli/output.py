"""Where a generated file goes."""

import sys
from dataclasses import replace
from pathlib import Path

from deploy import artifact
from deploy.artifact import Artifact
from deploy.errors import DeployError


def deliver(file: Artifact, output: str | None, *, checked_by: str) -> None:
    """Write `file` to `output`, atomically, or print it. What was done is said on standard error."""
    if output is None:
        sys.stdout.write(file.content)
        return
    target = Path(output).resolve()
    if target.exists() and not target.is_file():
        _pour(file.content, target)  # a pipe or a device is written to, never replaced
        return
    written = artifact.write([replace(file, path=target)])
    state = "written" if written else "unchanged"
    print(f"{target}: {state}{f', checked by {checked_by}' if checked_by else ''}", file=sys.stderr)


def _pour(text: str, target: Path) -> None:
    try:
        with target.open("w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise DeployError(f"{target}: cannot be written: {error.strerror}; name a file") from None
