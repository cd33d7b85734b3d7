"""Watch mode: from saving an edit to its first answer."""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import bare
from benchmarks.result import Result, ratios
from support.project import Project, own_backend

from deploy.plan import Process

_PATH = "/api/v1/broker/account"


def run(project: Project, runs: int) -> Iterator[Result]:
    """Edits the broker of a copied backend, served by a watching server behind nginx."""
    source = own_backend(project) / "modules" / "broker" / "account.py"
    project.write(project.standard(broker={"reload": True}))
    broker = next(server for server in bare.plan_of(project).servers() if server.group == "broker")
    plain = [word for word in broker.argv if word != "--reload"]
    floors = []
    for _ in range(runs):
        with bare.started(project, (_without_reload(broker, tuple(plain)),)) as floor:
            floors.append(floor.seconds)
    project.up()
    original = source.read_text(encoding="utf-8")
    assert "Demo account" in original
    edits = [_edit_to_served(project, source, original, f"Edited account {number}") for number in range(runs)]
    project.down()
    yield Result("edit to served ÷ one bare start", ratios(edits, floors), "ratio", limit=1.4)
    yield Result("edit to served", tuple(edits), "s")
    yield Result("one bare start", tuple(floors), "s", note="without watch mode, alone on the machine")


def _without_reload(server: Process, argv: tuple[str, ...]) -> Process:
    from dataclasses import replace

    return replace(server, argv=argv)


def _edit_to_served(project: Project, source: Path, original: str, name: str) -> float:
    source.write_text(original.replace("Demo account", name), encoding="utf-8")
    began = time.perf_counter()
    while project.get(_PATH).json().get("name") != name:
        if time.perf_counter() - began > 30:
            raise RuntimeError("the edit was never served")
        time.sleep(0.005)
    return time.perf_counter() - began
