"""Several processes at once, and one that may not write: nobody imports half of anything (G09)."""

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.ordinary_user import UID, folder_of_user, need_open_checkout
from support.router_example import HEAD, Example, example_in
from support.router_processes import process

from trading_api.shared.ws.module_router_generator import ensure_routers

pytestmark = pytest.mark.integration

PROCESSES = 8
# Route → names of its types, in every form that the declarations take during the test.
VARIANTS: tuple[dict[str, tuple[str, str]], ...] = (
    {"orders": ("Request", "Data")},
    {"orders": ("Data", "Request")},
    {"fills": ("Request", "Data"), "orders": ("Request", "Data")},
    {"fills": ("Data", "Data"), "orders": ("Request", "Request"), "quotes": ("Data", "Request")},
)
WORKER = """
    print("ready", flush=True)
    sys.stdin.readline()
    seen = []
    while True:
        with routers_current(WS, write=True):
            package = importlib.import_module(PACKAGE)
        types = {router.route: (router.request_type, router.data_type) for router in package.ROUTERS}
        seen.append({route: [found.__name__ for found in pair] for route, pair in types.items()})
        if len(seen) == 25:
            break
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]
        importlib.invalidate_caches()
    print(json.dumps(seen))
    """


def declare(example: Example, variant: dict[str, tuple[str, str]]) -> None:
    """Replace the declarations at once, as editors and git do."""
    lines = (f"{route.capitalize()}WsRouter: TypeAlias = WsRouter[{a}, {b}]" for route, (a, b) in variant.items())
    draft = Example(example.path.parent / "draft")
    draft.declare("\n".join(lines) + "\n", head=HEAD)
    (draft.ws / "__init__.py").replace(example.ws / "__init__.py")


@pytest.mark.long
def test_G09_processes_that_start_at_once_while_declarations_change_see_whole_routers_only(example: Example) -> None:
    example.ws.mkdir(parents=True)
    declare(example, VARIANTS[0])
    with ExitStack() as stack:
        workers = [stack.enter_context(process(example, WORKER)) for _ in range(PROCESSES)]
        for worker in workers:
            assert worker.stdout
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        edits = 0
        while any(worker.poll() is None for worker in workers) and edits < 2000:
            edits += 1
            declare(example, VARIANTS[edits % len(VARIANTS)])
        outputs = [worker.communicate(timeout=300) for worker in workers]
    assert [(worker.returncode, error) for worker, (_, error) in zip(workers, outputs, strict=True)] == [(0, "")] * 8
    wanted = [{route: list(types) for route, types in variant.items()} for variant in VARIANTS]
    seen = [routers for out, _ in outputs for routers in json.loads(out)]
    assert [routers for routers in seen if routers not in wanted] == []
    assert len({json.dumps(routers) for routers in seen}) > 1, "the declarations did change meanwhile"
    ensure_routers(example.ws, write=True)
    final = {route: (r.request_type.__name__, r.data_type.__name__) for route, r in example.load().items()}
    assert final == VARIANTS[edits % len(VARIANTS)]
    assert sorted(example.files()) == sorted(["__init__.py", *(f"{route}.py" for route in final)])


def test_G09_a_writer_that_is_killed_frees_the_lock_and_the_next_one_finishes(example: Example) -> None:
    example.declare("OrdersWsRouter: TypeAlias = WsRouter[Request, Data]\n")
    program = """
        from trading_api.shared.ws.generation import writing
        replace = writing.replace_if_different
        def stuck(path, text):
            if path.name == "__init__.py":
                print("writing", flush=True)
                sys.stdin.readline()
            return replace(path, text)
        writing.replace_if_different = stuck
        ensure_routers(WS, write=True)
        """
    with process(example, program) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        assert list(example.files()) == ["orders.py"]
        with process(example, "ensure_routers(WS, write=True)\nprint('done')") as next_one:
            assert next_one.poll() is None
            writer.kill()
            assert next_one.communicate(timeout=60)[0] == "done\n"
    ensure_routers(example.ws, write=False)
    assert list(example.load()) == ["orders"]


def test_G09_nobody_replaces_routers_while_somebody_imports_them(example: Example) -> None:
    example.declare("OrdersWsRouter: TypeAlias = WsRouter[Request, Data]\n")
    ensure_routers(example.ws, write=True)
    reader = """
        with routers_current(WS, write=False):
            print("reading", flush=True)
            sys.stdin.readline()
            print(len(importlib.import_module(PACKAGE).ROUTERS), flush=True)
        """
    writer = "print('starting', flush=True)\nensure_routers(WS, write=True)\nprint('done', flush=True)"
    with process(example, reader) as reading:
        assert reading.stdin
        assert reading.stdout
        assert reading.stdout.readline() == "reading\n"
        before = example.files()
        example.declare("FillsWsRouter: TypeAlias = WsRouter[Request, Data]\n")
        with process(example, writer) as writing:
            assert writing.stdout
            assert writing.stdout.readline() == "starting\n"
            # Still waiting: the files could only be replaced before the reader is told to go on.
            assert example.files() == before
            reading.stdin.write("go\n")
            reading.stdin.flush()
            assert reading.stdout.readline() == "1\n"
            assert writing.stdout.readline() == "done\n"
    assert list(example.load()) == ["fills"]


AS_USER = """
    importlib.import_module("router_example.shapes")
    sys.dont_write_bytecode = True
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    try:
        ensure_routers(WS, write=True)
        print("current")
    except RuntimeError as error:
        print(type(error).__name__, error)
    """


def close_folder(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.mark.parametrize("generated", [True, False])
def test_G09_a_folder_that_may_only_be_read_serves_current_routers_and_refuses_stale_ones(generated: bool) -> None:
    need_open_checkout()
    with folder_of_user() as folder, example_in(folder) as example:
        example.declare("OrdersWsRouter: TypeAlias = WsRouter[Request, Data]\n")
        if generated:
            ensure_routers(example.ws, write=True)
            os.chown(folder, UID, -1)
            close_folder(example.path)
            with process(example, AS_USER, str(UID)) as current:
                assert current.communicate(timeout=60) == ("current\n", "")
            (example.ws / "__init__.py").chmod(0o644)
            example.declare("FillsWsRouter: TypeAlias = WsRouter[Request, Data]\n")
        before = example.files()
        close_folder(example.path)
        with process(example, AS_USER, str(UID)) as stale:
            said, errors = stale.communicate(timeout=60)
        assert errors == ""
        assert said.startswith(f"RoutersNotWritableError module 'shop': {example.generated}: ")
        assert "stale and cannot be written: Permission denied" in said
        assert example.files() == before
        for path in (example.path, *example.path.rglob("*")):
            path.chmod(0o755)
        shutil.rmtree(example.path)
