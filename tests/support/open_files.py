"""Which files another process has open."""

from pathlib import Path

import pytest


def has_open(pid: int, path: Path) -> bool:
    """Whether process `pid` has `path` open now. Skips the test where no /proc tells."""
    descriptors = Path(f"/proc/{pid}/fd")
    if not descriptors.exists():
        pytest.skip("needs /proc")
    return any(_target(link) == path for link in descriptors.iterdir())


def _target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except FileNotFoundError:
        return None
