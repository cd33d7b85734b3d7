"""A copy of the whole backend in which generated files can be deleted and sources broken."""

import os
import subprocess
import sys
from pathlib import Path

from support.project import Project, own_backend


class Backend:
    """The copy that `project` runs; `run` calls its own command line."""

    def __init__(self, project: Project) -> None:
        self.package = own_backend(project)
        self._project = project

    def run(self, *arguments: str, check: int | None = None) -> subprocess.CompletedProcess[str]:
        """`python -m trading_api …`. `check` is the exit code that must come out."""
        with self.popen(*arguments) as process:
            output, errors = process.communicate(timeout=300)
        if check is not None:
            assert process.returncode == check, f"exit {process.returncode}\n{output}\n{errors}"
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def popen(self, *arguments: str) -> "subprocess.Popen[str]":
        """The same, not waited for."""
        argv = [sys.executable, "-P", "-m", "trading_api", *arguments]
        return subprocess.Popen(
            argv,
            cwd=self._project.folder,
            env=self._project.env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def python(self, program: str) -> subprocess.CompletedProcess[str]:
        """A program that imports this copy."""
        argv = [sys.executable, "-P", "-c", program]
        return subprocess.run(
            argv, cwd=self._project.folder, env=self._project.env(), capture_output=True, text=True, timeout=300
        )

    def generated(self) -> dict[str, bytes]:
        """Every generated file and what it holds."""
        return {path: content for path, content in self.files().items() if _is_generated(path)}

    def files(self) -> dict[str, bytes]:
        """Every file of the package but for bytecode."""
        found = (path for path in self.package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.package)): path.read_bytes() for path in found}

    def without_clients(self) -> None:
        """Hide the tools that render clients, as on a machine for production: then nothing renders for seconds."""
        blocked = Path(self._project.folder) / "without-tools"
        blocked.mkdir()
        # What stands as None in sys.modules cannot be imported, and is nowhere to be found.
        code = "import sys\nsys.modules.update(dict.fromkeys(('black', 'datamodel_code_generator')))\n"
        (blocked / "sitecustomize.py").write_text(code, encoding="utf-8")
        path = self._project.environment["PYTHONPATH"]
        self._project.environment["PYTHONPATH"] = os.pathsep.join([path, str(blocked)])


def _is_generated(path: str) -> bool:
    parts = path.split("/")
    return path == "manifest.json" or parts[0] == "clients" or any(part.endswith("_generated") for part in parts)
