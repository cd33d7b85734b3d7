"""The files: what is written, when, and what is found wrong with them (G08, G09)."""

import importlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.backend_modules import write_module
from support.router_example import Example, forget
from support.router_writers import replacing_fails_for

from trading_api.settings import Settings
from trading_api.shared.errors import ModuleError
from trading_api.shared.ws.generation.source import Source
from trading_api.shared.ws.module_router_generator import (
    DeclarationError,
    RoutersNotWritableError,
    StaleRoutersError,
    ensure_routers,
    generate_module_routers,
    routers_current,
)

ONE = "OrdersWsRouter: TypeAlias = WsRouter[Request, Data]\n"
TWO = ONE + "FillsWsRouter: TypeAlias = WsRouter[Request, Data, Conflate]\n"
BROKEN = "OrdersWsRouter: TypeAlias = WsRouter[Request, Nope]\n"


def generate(example: Example, *, silent: bool = True, fast: bool = False) -> bool:
    return generate_module_routers("shop", silent=silent, skip_quality_checks=fast, folders=example.modules)


def times(example: Example) -> dict[str, int]:
    return {name: (example.generated / name).stat().st_mtime_ns for name in example.files()}


def test_G08_an_unknown_module_is_refused_naming_it_and_the_known_ones(example: Example) -> None:
    example.declare(ONE)
    with pytest.raises(RuntimeError, match=r"module 'stop'.*no such module; known: shop"):
        generate_module_routers("stop", folders=example.modules)
    with pytest.raises(RuntimeError, match=r"known: broker, core, datafeed"):
        generate_module_routers("stop")


def test_G08_a_module_without_websockets_gives_false_and_writes_nothing(example: Example) -> None:
    write_module(example.path / "modules", "plain")
    before = sorted(example.path.rglob("*"))
    assert generate_module_routers("plain", folders=example.modules) is False
    assert sorted(example.path.rglob("*")) == before


def test_G08_mistakes_raise_a_runtime_error_with_module_and_every_place(example: Example) -> None:
    file = example.declare(BROKEN + "Two: TypeAlias = WsRouter[Request, Data]\n")
    with pytest.raises(RuntimeError) as caught:
        generate(example)
    assert isinstance(caught.value, ModuleError)
    lines = str(caught.value).splitlines()
    assert lines[0] == "module 'shop': its WebSocket routers cannot be generated:"
    assert [line.partition(": ")[0] for line in lines[1:]] == [f"{file}:4:47", f"{file}:5:1"]


def test_G08_generated_and_current_are_true_and_each_written_file_is_a_line(
    example: Example, capsys: pytest.CaptureFixture[str]
) -> None:
    example.declare(TWO)
    assert generate(example, silent=False) is True
    names = ["fills.py", "orders.py", "__init__.py"]
    assert capsys.readouterr().out.splitlines() == [f"{example.generated / name}: written" for name in names]
    assert generate(example, silent=False) is True
    assert capsys.readouterr().out == ""
    example.declare(ONE)
    assert generate(example, silent=False) is True
    lines = [f"{example.generated / '__init__.py'}: written", f"{example.generated / 'fills.py'}: removed"]
    assert capsys.readouterr().out.splitlines() == lines
    assert generate(example) is True
    assert capsys.readouterr().out == ""


def test_G08_versions_are_generated_side_by_side(example: Example) -> None:
    example.declare(ONE)
    example.declare(TWO, version="v2")
    assert generate(example)
    second = example.ws.with_name("v2")
    for path, routes in ((example.ws, ["orders"]), (second, ["fills", "orders"])):
        forget()
        with routers_current(path, write=False):
            package = importlib.import_module(f"router_example.modules.shop.ws.{path.name}.ws_generated")
        assert [router.route for router in package.ROUTERS] == routes
        assert all(router.__module__.startswith(f"{package.__name__}.") for router in package.ROUTERS)


def test_G08_a_mistake_in_one_version_leaves_the_others_unwritten(example: Example) -> None:
    example.declare(ONE)
    example.declare(BROKEN, version="v2")
    with pytest.raises(DeclarationError):
        generate(example)
    assert example.files() == {}


def test_G07_a_mistake_leaves_the_former_files_in_place(example: Example) -> None:
    example.declare(TWO)
    generate(example)
    before, written = example.files(), times(example)
    file = example.declare(BROKEN)
    with pytest.raises(DeclarationError, match=rf"module 'shop'(.|\n)*{file}:4:47: the name 'Nope' is not defined"):
        generate(example)
    with pytest.raises(DeclarationError):
        ensure_routers(example.ws, write=True)
    assert (example.files(), times(example)) == (before, written)


def test_G01_current_files_are_not_touched_and_only_differing_ones_are_replaced(example: Example) -> None:
    example.declare(ONE)
    generate(example)
    written = times(example)
    ensure_routers(example.ws, write=True)
    assert generate(example)
    assert times(example) == written
    example.declare(TWO)
    generate(example)
    after = times(example)
    assert after["orders.py"] == written["orders.py"]
    assert after["__init__.py"] != written["__init__.py"]


@pytest.mark.parametrize("write", [True, False])
def test_M06_stale_routers_are_regenerated_in_development_and_else_refused(example: Example, write: bool) -> None:
    example.declare(ONE)
    generate(example)
    example.declare(TWO)
    before = example.files()
    if write:
        ensure_routers(example.ws, write=True)
        assert sorted(example.load()) == ["fills", "orders"]
        return
    with pytest.raises(StaleRoutersError, match=f"module 'shop': {example.generated}: .*run: make generate"):
        ensure_routers(example.ws, write=False)
    assert example.files() == before


def damage_deleted(generated: Path) -> None:
    (generated / "orders.py").unlink()


def damage_without_index(generated: Path) -> None:
    (generated / "__init__.py").unlink()


def damage_cut(generated: Path) -> None:
    file = generated / "orders.py"
    file.write_bytes(file.read_bytes()[:100])


def damage_cut_index(generated: Path) -> None:
    file = generated / "__init__.py"
    file.write_bytes(file.read_bytes()[:40])


def damage_edited(generated: Path) -> None:
    file = generated / "orders.py"
    file.write_text(file.read_text().replace('"orders"', '"others"'))


def damage_edited_index(generated: Path) -> None:
    file = generated / "__init__.py"
    file.write_text(file.read_text() + "\nROUTERS = ()\n")


def damage_added(generated: Path) -> None:
    (generated / "gone.py").write_text("")


def damage_emptied(generated: Path) -> None:
    for file in generated.glob("*.py"):
        file.write_bytes(b"")


DAMAGES = [value for name, value in sorted(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_G09_a_damaged_folder_is_found_and_made_whole(example: Example, damage: object) -> None:
    assert callable(damage)
    example.declare(TWO)
    generate(example)
    whole = example.files()
    damage(example.generated)
    with pytest.raises(StaleRoutersError):
        ensure_routers(example.ws, write=False)
    assert sorted(example.load()) == ["fills", "orders"]
    assert generate(example)
    assert example.files() == whole
    ensure_routers(example.ws, write=False)


def test_G09_what_a_killed_writer_left_is_harmless_and_goes_with_the_next_writing(example: Example) -> None:
    example.declare(ONE)
    generate(example)
    left = example.generated / ".orders.py.abc123"
    left.write_text("half")
    ensure_routers(example.ws, write=False)
    example.declare(TWO)
    ensure_routers(example.ws, write=True)
    assert not left.exists()


def test_G09_a_writer_that_fails_half_way_leaves_a_folder_that_is_found_stale(example: Example) -> None:
    example.declare(ONE)
    generate(example)
    example.declare(TWO.replace("Data]", "list[Data]]"))
    with (
        replacing_fails_for("__init__.py"),
        pytest.raises(RoutersNotWritableError, match=f"'shop': {example.generated}: .*No space left"),
    ):
        generate(example)
    assert "list[Data]" in (example.generated / "orders.py").read_text()
    with pytest.raises(StaleRoutersError):
        ensure_routers(example.ws, write=False)
    assert sorted(example.load()) == ["fills", "orders"]


def test_G09_bytecode_of_a_replaced_file_is_never_served(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python takes bytecode for current by the second and the size of the source: both may be equal."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    first = example.routers("OrdersWsRouter: TypeAlias = WsRouter[Request, Data]\n")["orders"]
    source = example.generated / "orders.py"
    stat = source.stat()
    assert list((example.generated / "__pycache__").glob("orders.*.pyc"))
    example.declare("OrdersWsRouter: TypeAlias = WsRouter[Data, Request]\n")
    forget()
    ensure_routers(example.ws, write=True)
    assert source.stat().st_size == stat.st_size
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    second = example.load()["orders"]
    assert (first.request_type.__name__, second.request_type.__name__) == ("Request", "Data")


def test_G09_a_process_that_had_imported_the_former_routers_imports_the_new_ones(example: Example) -> None:
    assert sorted(example.routers(ONE)) == ["orders"]
    example.declare(TWO)
    with routers_current(example.ws, write=True):
        package = importlib.import_module("router_example.modules.shop.ws.v1.ws_generated")
    assert len(package.ROUTERS) == 2
    from router_example.modules.shop.ws.v1 import ws_generated  # type: ignore[import-not-found]

    assert ws_generated is package


def test_G09_an_edit_while_generating_is_generated_too(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    from trading_api.shared.ws.generation import generator

    write, edits = generator.write_generated, [TWO]

    def edit_then_write(folder: object, files: object) -> object:
        if edits:
            example.declare(edits.pop())
        return write(folder, files)  # type: ignore[arg-type]

    monkeypatch.setattr(generator, "write_generated", edit_then_write)
    example.declare(ONE)
    ensure_routers(example.ws, write=True)
    assert sorted(example.load()) == ["fills", "orders"]


def edit_while_reading(monkeypatch: pytest.MonkeyPatch, edit: Callable[[], object]) -> None:
    """Have `edit` called after the declarations were read, whenever they are."""
    from trading_api.shared.ws.generation import generator

    generate_files = generator.generate_files

    def edit_first(source: Source, *, formatted: bool) -> dict[str, str]:
        edit()
        return generate_files(source, formatted=formatted)

    monkeypatch.setattr(generator, "generate_files", edit_first)


def test_G09_declarations_that_never_rest_give_the_routers_of_one_of_their_states(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = itertools.cycle([TWO, ONE])
    edit_while_reading(monkeypatch, lambda: example.declare(next(states)))
    example.declare(ONE)
    with routers_current(example.ws, write=True):
        package = importlib.import_module("router_example.modules.shop.ws.v1.ws_generated")
    assert [router.route for router in package.ROUTERS] in (["orders"], ["fills", "orders"])
    assert sorted(example.files()) == sorted(["__init__.py", *(f"{router.route}.py" for router in package.ROUTERS)])


def test_G09_a_mistake_that_is_gone_when_it_is_found_is_none(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    edit_while_reading(monkeypatch, lambda: example.declare(TWO))
    example.declare("OrdersWsRouter: TypeAlias = WsRouter[Req")
    ensure_routers(example.ws, write=True)
    assert sorted(example.load()) == ["fills", "orders"]
    example.declare("OrdersWsRouter: TypeAlias = WsRouter[Req")
    assert generate(example)
    assert sorted(example.load()) == ["fills", "orders"]


def test_G08_without_quality_checks_the_routers_are_the_same_and_generate_formats_them_later(example: Example) -> None:
    example.declare("from typing import Literal\nOrdersWsRouter: TypeAlias = WsRouter[Literal['a'], Data]\n")
    generate(example, fast=True)
    assert "Literal['a']" in (example.generated / "orders.py").read_text()
    ensure_routers(example.ws, write=False)
    generate(example)
    assert 'Literal["a"]' in (example.generated / "orders.py").read_text()
    formatted = times(example)
    generate(example, fast=True)
    ensure_routers(example.ws, write=True)
    assert times(example) == formatted


def test_G03_the_same_declarations_give_the_same_bytes_anywhere(example: Example, tmp_path: Path) -> None:
    example.declare(TWO)
    generate(example)
    before = example.files()
    moved = Example(tmp_path / "elsewhere" / "router_example")
    moved.path.parent.mkdir()
    example.path.rename(moved.path)
    ensure_routers(moved.ws, write=False)
    assert moved.files() == before
    assert str(tmp_path).encode() not in b"".join(before.values())


def test_G03_another_import_name_makes_them_stale(example: Example) -> None:
    example.declare(ONE)
    generate(example)
    (example.path / "modules" / "shop").rename(example.path / "modules" / "store")
    with pytest.raises(StaleRoutersError, match="'store'"):
        ensure_routers(example.path / "modules" / "store" / "ws" / "v1", write=False)


def test_G08_declarations_that_cannot_be_read_name_module_and_file(example: Example) -> None:
    with pytest.raises(RuntimeError, match=f"module 'shop': {example.ws}: the folder cannot be locked: No such file"):
        ensure_routers(example.ws, write=True)
    example.ws.mkdir(parents=True)
    with pytest.raises(RuntimeError, match=r"module 'shop': .*__init__.py: the declarations cannot be read: No such"):
        ensure_routers(example.ws, write=True)


def test_G08_a_file_in_place_of_the_folder_is_named(example: Example) -> None:
    example.declare(ONE)
    example.generated.write_text("")
    with pytest.raises(RoutersNotWritableError, match=f"module 'shop': {example.generated}"):
        ensure_routers(example.ws, write=True)


def test_M05_the_check_at_start_up_loads_nothing_that_generates(example: Example) -> None:
    example.declare(ONE)
    generate(example)
    program = f"""
        import json, sys
        from pathlib import Path
        from trading_api.shared.ws.module_router_generator import ensure_routers
        ensure_routers(Path({str(example.ws)!r}), write=True)
        print(json.dumps([name for name in ("jinja2", "black", "ast") if name in sys.modules]))
        print(json.dumps(sorted(name for name in sys.modules if ".ws.generation." in name)))
        """
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(line.strip() for line in program.splitlines())],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    libraries, own = map(json.loads, done.stdout.splitlines())
    assert set(libraries) <= {"ast"}, "ast is in the standard library, and others use it"
    assert [name.rpartition(".")[2] for name in own] == ["lock", "problem", "source", "stamp"]


def test_M05_settings_are_for_development_only_when_told() -> None:
    assert Settings().development is False
    assert Settings(development=True).development is True
