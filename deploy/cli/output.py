"""Where a generated file goes."""

import sys
from dataclasses import replace
from pathlib import Path

from deploy import artifact
from deploy.artifact import Artifact


def deliver(file: Artifact, output: str | None, *, checked_by: str) -> None:
    """Write `file` to `output`, atomically, or print it. What was done is said on standard error."""
    if output is None:
        sys.stdout.write(file.content)
        return
    target = Path(output).absolute()
    written = artifact.write([replace(file, path=target)])
    state = "written" if written else "unchanged"
    print(f"{target}: {state}{f', checked by {checked_by}' if checked_by else ''}", file=sys.stderr)
