"""Runs that render clients: the index, what is left alone, what is published."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.generation_site import Package, package_in

from trading_api.codegen import clients
from trading_api.codegen.report import wrong
from trading_api.codegen.stamp import stamp_path

pytestmark = pytest.mark.integration
CLIENT = "modules/items/client_generated/items_v1_client.py"


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    with package_in(tmp_path / "clients_example") as made:
        made.add("items")
        assert made.generate(quick=False).ok
        yield made


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clients that were rendered since, as `items_v1`."""
    found: list[str] = []
    render = clients.render_module_client

    def spy(source: clients.ClientSource, *, runtime: str) -> dict[str, str]:
        found.append(source.stem)
        return render(source, runtime=runtime)

    monkeypatch.setattr(clients, "render_module_client", spy)
    return found


def test_G02_every_module_has_a_client_and_the_index_knows_it(package: Package) -> None:
    assert package.path(CLIENT).is_file()
    assert "ItemsClient" in package.path("clients/__init__.py").read_text()
    assert package.path("clients/runtime/__init__.py").is_file()


def test_G03_only_the_client_of_the_module_that_changed_is_rendered(package: Package, rendered: list[str]) -> None:
    package.edit("modules/items/api/v1.py", "price: float", "price: str")
    outcome = package.generate(quick=False)
    assert rendered == ["items_v1"]
    states = package.states(outcome)
    assert "modules/items/client_generated/items_v1_models.py" in states
    assert not any("core" in path or path.startswith("clients/") for path in states)


def test_G03_a_client_that_was_edited_by_hand_is_made_again(package: Package, rendered: list[str]) -> None:
    before = package.path(CLIENT).read_bytes()
    package.path(CLIENT).write_bytes(before + b"# edited\n")
    assert package.states(package.generate(quick=False, check=True)) == {CLIENT: "stale"}
    assert package.states(package.generate(quick=False)) == {CLIENT: "written"}
    assert package.path(CLIENT).read_bytes() == before
    assert rendered == ["items_v1", "items_v1"]


def test_G03_without_a_stamp_everything_is_rendered_and_nothing_written(package: Package, rendered: list[str]) -> None:
    before = package.files()
    stamp_path(package.folder).unlink()
    assert package.generate(quick=False).files == []
    assert rendered == ["core_v1", "items_v1"]
    assert package.files() == before


def test_G01_the_client_of_a_removed_module_goes(package: Package) -> None:
    folder = package.path("modules/items")
    for path in [*folder.glob("*.py"), *folder.glob("api/*.py")]:
        path.unlink()
    states = package.states(package.generate(quick=False))
    assert states[CLIENT] == "removed"
    assert "ItemsClient" not in package.path("clients/__init__.py").read_text()
    assert not (folder / "client_generated").exists()


def test_G01_one_module_alone_keeps_the_others_in_the_index(package: Package) -> None:
    package.add("more")
    assert package.generate("more", quick=False).ok
    index = package.path("clients/__init__.py").read_text()
    assert "MoreClient" in index
    assert "ItemsClient" in index


def test_G02_a_run_in_which_a_module_fails_leaves_the_index_alone(package: Package) -> None:
    index = package.path("clients/__init__.py")
    before = index.read_bytes()
    package.add_with_websockets("talk")
    package.edit("modules/talk/ws/v1/__init__.py", "WsRouter[Echo, Echo]", "WsRouter[Echo, Eccho]")
    package.add("more")
    outcome = package.generate(quick=False)
    assert [failure.module for failure in outcome.failures] == ["talk"]
    assert index.read_bytes() == before
    package.edit("modules/talk/ws/v1/__init__.py", "WsRouter[Echo, Eccho]", "WsRouter[Echo, Echo]")
    assert package.generate(quick=False).ok
    assert "MoreClient" in index.read_text()


def test_G05_a_check_of_a_stale_output_folder_names_the_command_that_writes_it(
    package: Package, tmp_path: Path
) -> None:
    target = tmp_path / "to publish"
    outcome = package.generate("items", quick=False, check=True, output_dir=target)
    assert list(wrong(outcome))[-1].endswith(f"; run: make generate modules=items output_dir='{target}'")
    assert package.generate("items", quick=False, output_dir=target).ok
    assert package.generate("items", quick=False, check=True, output_dir=target).ok


def test_G05_the_output_folder_holds_specs_and_clients_of_the_chosen_modules(package: Package, tmp_path: Path) -> None:
    target = tmp_path / "published"
    outcome = package.generate("items", quick=False, output_dir=target)
    assert outcome.ok
    specs = [path.name for path in (target / "specs_generated").iterdir()]
    assert specs == ["items_v1_openapi.json"]
    assert (target / "client_generated").is_dir()
    again = package.generate("items", quick=False, output_dir=target)
    assert again.files == []
    (target / "specs_generated" / "items_v1_openapi.json").write_text("{}")
    checked = package.generate("items", quick=False, output_dir=target, check=True)
    assert [(file.path.name, file.state) for file in checked.files] == [("items_v1_openapi.json", "stale")]


def test_G05_what_else_is_in_the_output_folder_stays(package: Package, tmp_path: Path) -> None:
    target = tmp_path / "published"
    (target / "client_generated").mkdir(parents=True)
    (target / "client_generated" / "mine.py").write_text("x = 1\n")
    (target / "notes.txt").write_text("mine")
    package.edit("modules/items/api/v1.py", "price: float", "price: str")
    outcome = package.generate("items", quick=False, output_dir=target)
    assert not outcome.ok
    assert "mine.py" in outcome.failures[0].reason
    assert (target / "client_generated" / "mine.py").is_file()
    assert sorted(path.name for path in target.iterdir()) == ["client_generated", "notes.txt"]


@pytest.mark.long
def test_G03_two_runs_in_processes_of_their_own_give_the_same_bytes(package: Package, tmp_path: Path) -> None:
    """Whatever the hash seed and the order in which modules are imported."""
    copies = []
    for seed in ("1", "2"):
        copy = tmp_path / f"seed{seed}" / package.folder.name
        shutil.copytree(package.folder, copy, ignore=shutil.ignore_patterns("__pycache__", "*_generated", "clients"))
        code = (
            "from pathlib import Path\n"
            "from trading_api.codegen.full_run import run\n"
            "from trading_api.codegen.order import Order\n"
            "from trading_api.codegen.site import site_of\n"
            f"outcome = run(site_of(Path({str(copy)!r}), {copy.name!r}), Order())\n"
            "assert outcome.ok, outcome.failures\n"
        )
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(copy.parent), "PATH": "/usr/bin:/bin"}
        subprocess.run([sys.executable, "-P", "-c", code], env=env, check=True, timeout=60)
        found = (path for path in copy.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        copies.append({str(path.relative_to(copy)): path.read_bytes() for path in found})
    assert copies[0] == copies[1]
