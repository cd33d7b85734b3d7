"""M05: in watch mode the committed documents follow each edit by themselves, and cause no second reload."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backend_modules import API, GOOD_WS, write_module
from support.backend_server import Server, copy_package, running
from support.waiting import wait_until

pytestmark = pytest.mark.integration


VALUE = """self.get("/value")(self.value)

        async def value(self) -> int:
            return 1
    """


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with one more module, which has a route of each kind."""
    folder = copy_package(tmp_path)
    write_module(folder / "modules", "probe", {**GOOD_WS, "api/v1.py": API.replace("pass", VALUE)})
    return folder


@pytest.fixture
def watched(package: Path) -> Iterator[Server]:
    with running(package, "--reload", ENABLED_MODULES="probe") as server:
        assert server.port
        yield server


def paths_in(file: Path) -> set[str]:
    return set(json.loads(file.read_bytes())["paths"]) if file.exists() else set()


def test_M05_documents_follow_an_edit_and_one_edit_is_one_reload(package: Path, watched: Server) -> None:
    file = package / "modules" / "probe" / "specs_generated" / "probe_v1_openapi.json"
    wait_until(lambda: "/value" in paths_in(file), what="the first document")
    wait_until((file.parent / "probe_v1_asyncapi.json").exists, what="the document of the WebSockets")
    source = package / "modules" / "probe" / "api" / "v1.py"
    source.write_text(source.read_text().replace('self.get("/value")', 'self.get("/renamed")'))
    watched.wait_for_log("reloaded in")
    wait_until(lambda: "/renamed" in paths_in(file), what="the document of the edited code")
    merged = wait_until(lambda: watched.get("/api/v1/openapi.json"), what="the merged document").json()
    assert "/api/v1/probe/renamed" in merged["paths"]
    # A second edit is served by a second reload; had the documents caused one of their own, there would be more.
    source.write_text(source.read_text().replace('self.get("/renamed")', 'self.get("/again")'))
    wait_until(lambda: "/again" in paths_in(file), what="the document of the second edit")
    # It is written before the log says so.
    wait_until(lambda: watched.log.count("reloaded in") >= 2, what="the word on the second reload")
    assert watched.log.count("reloaded in") == 2
    assert watched.log.count("edited:") == 2


def test_M05_a_folder_that_cannot_be_written_is_told_and_the_server_serves(package: Path) -> None:
    (package / "modules" / "probe" / "specs_generated").write_text("a file where the folder should be")
    with running(package, "--reload", ENABLED_MODULES="probe") as server:
        server.wait_for_log("the documents of probe v1 cannot be written")
        assert server.get("/api/v1/probe/value").status == 200
        assert "/api/v1/probe/value" in server.get("/api/v1/openapi.json").json()["paths"]


def test_M05_without_watch_mode_nothing_is_written(package: Path) -> None:
    shutil.rmtree(package / "modules" / "core" / "specs_generated", ignore_errors=True)
    with running(package, ENABLED_MODULES="core") as server:
        assert server.get("/api/v1/openapi.json").status == 200
        assert server.stop() == 0
    assert not (package / "modules" / "core" / "specs_generated").exists()
