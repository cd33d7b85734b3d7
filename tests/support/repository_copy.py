"""Copies of the repository, to write modules in: never in this one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


class Copy:
    """A copy of the repository, and programs run in it with its own packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "backend" / "src"
        self.package = self.source / "trading_api"

    def env(self) -> dict[str, str]:
        """The environment in which Python imports the copy's packages."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRADING_", "ENABLED_"))}
        return {**kept, "PYTHONPATH": os.pathsep.join([str(self.folder), str(self.source)])}

    def python(self, *arguments: str, timeout: float = 500) -> subprocess.CompletedProcess[str]:
        """Run Python in the copy until it ends."""
        argv = [sys.executable, *arguments]
        return subprocess.run(argv, cwd=self.folder, env=self.env(), capture_output=True, text=True, timeout=timeout)

    def new_module(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m trading_api new-module …`."""
        return self.python("-m", "trading_api", "new-module", *arguments)

    def own_files(self, name: str) -> list[str]:
        """The files that belong to a module, generated ones included."""
        folders = [self.package / "models" / name, self.package / "modules" / name, self.folder / "tests/unit" / name]
        return [str(path) for folder in folders for path in sorted(folder.rglob("*.py"))]


def copy_of(source: Path, target: Path) -> Copy:
    """A copy of what version control knows of, or would, of the folder `source`."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=source, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    copy = Copy(target)
    # Else a module would be written into the repository that is being tested.
    where = json.loads(copy.python("-c", "import json, trading_api as t; print(json.dumps(list(t.__path__)))").stdout)
    assert where == [str(copy.package)]
    return copy


def copy_again(copy: Copy, target: Path) -> Copy:
    """A copy of a copy, with what was generated in it."""
    folder = Path(shutil.copytree(copy.folder, target / "repository", symlinks=True))
    # pytest's own folders are closed to everybody else, and so is a copy of one.
    folder.chmod(0o755)
    return Copy(folder)
