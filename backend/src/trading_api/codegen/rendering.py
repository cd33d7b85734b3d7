"""Who renders clients: this process, or a worker that imports the renderers while this process imports the apps."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Protocol

from trading_api.codegen.version_specs import VersionSpecs

RUNTIME = "trading_api.clients.runtime"
_TOOLS = ("black", "datamodel_code_generator")
Files = Mapping[str, str]


class CannotRender(Exception):
    """A contract that no client can be made from; the text names the place in it, and what is wrong."""


class Renderer(Protocol):
    """Each answers with file name → text. Raises CannotRender."""

    def client(self, specs: VersionSpecs) -> Files: ...
    def index(self, versions: Sequence[VersionSpecs]) -> Files: ...
    def package(self, versions: Sequence[VersionSpecs]) -> Files: ...


def missing_tool() -> str | None:
    """A tool that rendering needs and that is not installed: they belong to development."""
    return next((name for name in _TOOLS if find_spec(name) is None), None)


class LocalRenderer:
    """Renders in this process."""

    def client(self, specs: VersionSpecs) -> Files:
        from trading_api.codegen.clients import render_module_client

        with _translated():
            return render_module_client(specs.source(), runtime=RUNTIME)

    def index(self, versions: Sequence[VersionSpecs]) -> Files:
        from trading_api.codegen.clients import render_index

        with _translated():
            return render_index([specs.source() for specs in versions])

    def package(self, versions: Sequence[VersionSpecs]) -> Files:
        from trading_api.codegen.clients import render_package

        with _translated():
            return render_package([specs.source() for specs in versions])


@contextmanager
def _translated() -> Iterator[None]:
    from trading_api.codegen.clients import ClientSourceError

    try:
        yield
    except ClientSourceError as error:
        raise CannotRender(str(error)) from error


class WorkerRenderer:
    """Renders in a process of its own. When that fails, this one does the work."""

    def __init__(self) -> None:
        # -P: the worker is to find the same package, wherever this was started.
        argv = [sys.executable, "-P", "-m", "trading_api.codegen.render_worker"]
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
        )

    def __enter__(self) -> "WorkerRenderer":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def client(self, specs: VersionSpecs) -> Files:
        return self._ask("client", [specs])

    def index(self, versions: Sequence[VersionSpecs]) -> Files:
        return self._ask("index", versions)

    def package(self, versions: Sequence[VersionSpecs]) -> Files:
        return self._ask("package", versions)

    def _ask(self, what: str, versions: Sequence[VersionSpecs]) -> Files:
        asked = {"what": what, "versions": [specs.to_json() for specs in versions]}
        answer = self._answer(json.dumps(asked))
        if answer is None:
            return rendered(LocalRenderer(), what, versions)
        if "error" in answer:
            raise CannotRender(answer["error"])
        return answer

    def _answer(self, line: str) -> dict[str, str] | None:
        """The worker's answer; None where it has none, whatever the reason."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None


def rendered(renderer: Renderer, what: str, versions: Sequence[VersionSpecs]) -> Files:
    """What `renderer` makes of `versions`: `client` (of the first), `index` or `package`."""
    if what == "client":
        return renderer.client(versions[0])
    return renderer.index(versions) if what == "index" else renderer.package(versions)
