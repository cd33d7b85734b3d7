"""`serve --reload`: edits are served at once, mistakes are survived, and nothing is left behind (M04, M05)."""

import http.client
import os
import signal
import socket
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from support.backend_probe import hooks_run, probe_environment
from support.backend_server import Server, run_module, run_program, running
from support.waiting import wait_until

pytestmark = pytest.mark.integration

VALUE = "/api/v1/probe/value"


@contextmanager
def watching(package: Path, **environ: str) -> Iterator[Server]:
    with running(package, "--reload", **probe_environment(package, **environ)) as server:
        assert server.get(VALUE).json()["value"] == 1
        yield server


def routes(package: Path) -> Path:
    return package / "modules" / "probe" / "api" / "v1.py"


def edit(package: Path, value: int) -> None:
    """Have the probe answer with a one-digit value; every such edit leaves the file's size as it was."""
    file = routes(package)
    lines = (f"VALUE = {value}" if line.startswith("VALUE = ") else line for line in file.read_text().splitlines())
    # At once, as editors do: half of a file would be an edit of its own on a busy machine.
    half = file.with_suffix(".half")
    half.write_text("\n".join(lines) + "\n")
    half.replace(file)


def wait_for_value(server: Server, value: int) -> int:
    """Wait until the value is served; returns the pid that serves it."""

    def serving() -> int | None:
        # Of one answer: while a generation takes over from another, both answer.
        answer = server.get(VALUE).json()
        return int(answer["pid"]) if answer["value"] == value else None

    pid = wait_until(serving, what=f"value {value} in\n{server.log}")
    assert pid, "wait_until returns nothing else"
    return pid


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_M04_the_parent_has_loaded_every_library_so_that_a_generation_loads_none(package: Path) -> None:
    program = """
        import sys
        from trading_api.server.reload.preload import forget_own_modules, preload
        from trading_api.server.reload import generation

        preload(["core", "broker", "datafeed"])
        before = set(sys.modules)
        from trading_api.server import run, server
        from trading_api.server.options import ServeOptions
        from trading_api.settings import Settings

        app = run.create_app(Settings())
        config = server.TradingServer(app, ServeOptions(), print).config
        config.load()
        config.get_loop_factory()
        names = {name.partition(".")[0] for name in sys.modules.keys() - before}
        print(sorted(names - sys.stdlib_module_names - {"trading_api"}))
        forget_own_modules()
        print([name for name in sys.modules if name.startswith("trading_api")])
        """
    done = run_program(package, textwrap.dedent(program), **probe_environment(package))
    assert done.stdout.splitlines() == ["[]", "[]"], done.stderr


def test_M04_a_first_generation_that_fails_ends_the_server_with_its_traceback(package: Path) -> None:
    routes(package).write_text("\n\ndef broken(:\n")
    done = run_module(package, ["serve", "--port", "0", "--reload"], **probe_environment(package))
    assert done.returncode == 1
    errors = [line for line in done.stdout.splitlines() if "] [ERROR] " in line]
    assert len(errors) == 1
    assert "module 'probe'" in errors[0]
    assert "api/v1.py:3: SyntaxError: invalid syntax" in errors[0]
    assert "still serves" not in errors[0]
    assert "Traceback (most recent call last):" in done.stdout


def test_M04_a_syntax_error_leaves_the_old_code_serving_and_the_fix_recovers(package: Path) -> None:
    with watching(package) as server:
        text = routes(package).read_text()
        routes(package).write_text(text + "def broken(:\n")
        server.wait_for_log("the previous code still serves")
        line = next(line for line in server.log.splitlines() if "] [ERROR] " in line)
        assert f"api/v1.py:{len(text.splitlines()) + 1}: SyntaxError" in line
        assert server.get(VALUE).json()["value"] == 1
        routes(package).write_text(text.replace("VALUE = 1", "VALUE = 2"))
        wait_for_value(server, 2)
        assert server.log.count("] [ERROR] ") == 1
        assert server.stop() == 0


@pytest.mark.long
def test_M04_an_error_in_the_framework_itself_is_survived_too(package: Path) -> None:
    with watching(package) as server:
        module = package / "shared" / "module.py"
        text = module.read_text()
        module.write_text("raise RuntimeError('half an edit')\n" + text)
        server.wait_for_log("shared/module.py:1: RuntimeError: half an edit; the previous code still serves")
        module.write_text(text + "\n# mended\n")
        server.wait_for_log("reloaded in")
        assert server.get(VALUE).status == 200


@pytest.mark.long
def test_M04_edits_within_one_second_and_of_equal_size_are_all_served(package: Path) -> None:
    with watching(package) as server:
        pids = set()
        for value in (2, 3, 4, 5):
            edit(package, value)
            pids.add(wait_for_value(server, value))
        assert len(pids) == 4
        assert server.log.count("edited:") == 4
        assert server.stop() == 0
    hooks = hooks_run(package)
    assert (hooks.count("start"), hooks.count("stopped")) == (5, 5)


@pytest.mark.long
def test_M04_an_edit_made_while_another_starts_is_what_is_served_in_the_end(package: Path) -> None:
    with watching(package) as server:
        for value in (2, 3, 4):
            edit(package, value)
            server.wait_for_log("edited:", count=value - 1)
        wait_for_value(server, 4)
        edit(package, 5)
        wait_for_value(server, 5)


def test_M04_no_request_is_lost_to_a_reload(package: Path) -> None:
    answers: list[int] = []
    failures: list[str] = []
    stop = threading.Event()

    def ask_all_the_time(server: Server) -> None:
        while not stop.is_set():
            try:
                answers.append(server.get(VALUE).json()["value"])
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))

    with watching(package) as server:
        clients = [threading.Thread(target=ask_all_the_time, args=(server,)) for _ in range(2)]
        for client in clients:
            client.start()
        try:
            for value in (2, 3):
                edit(package, value)
                server.wait_for_log("reloaded in", count=value - 1)
                wait_until(partial(answers.count, value), what=f"value {value}")
        finally:
            stop.set()
            for client in clients:
                client.join()
    assert failures == []
    assert set(answers) == {1, 2, 3}


def test_M05_only_what_the_server_uses_triggers_a_reload(package: Path) -> None:
    with watching(package) as server:
        # It serves a moment before its parent has heard what it uses; after a reload the parent has.
        edit(package, 3)
        server.wait_for_log("reloaded in")
        unused = [
            "modules/datafeed/service.py",
            "models/market/brand_new.py",
            "codegen/manifest.py",
            "modules/probe/ws/v1/ws_generated/orders.py",
            "modules/probe/specs_generated/x.py",
            "modules/probe/tests/test_probe.py",
            "modules/probe/notes.md",
            "manifest.json",
        ]
        for name in unused:
            file = package / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("changed\n")
        os.utime(routes(package))
        (package / "shared" / "module.py").write_bytes((package / "shared" / "module.py").read_bytes())
        edit(package, 2)
        wait_for_value(server, 2)
        (package / "modules" / "probe" / "brand_new.py").write_text("")
        server.wait_for_log("edited: modules/probe/brand_new.py")
        edited = [line.partition("edited: ")[2] for line in server.log.splitlines() if "edited: " in line]
        assert edited == ["modules/probe/api/v1.py", "modules/probe/api/v1.py", "modules/probe/brand_new.py"]


def test_M04_a_server_that_dies_by_itself_takes_its_parent_along(package: Path) -> None:
    with watching(package) as server:
        os.kill(int(server.get(VALUE).json()["pid"]), signal.SIGKILL)
        assert server.process.wait(timeout=60) == 1
        assert "the server process ended by itself with signal SIGKILL" in server.log


def test_M04_a_killed_parent_takes_its_server_along_and_frees_the_port(package: Path) -> None:
    with watching(package) as server:
        child = int(server.get(VALUE).json()["pid"])
        port = server.port
        server.stop(signal.SIGKILL)
        wait_until(lambda: not is_running(child), what="the end of the child", timeout=60)
        # A thread of it may hold the files for a moment longer.
        wait_until(lambda: can_bind(port), what="a free port", timeout=60)


def can_bind(port: int) -> bool:
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            again.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("whole_group", [True, False])
def test_P05_watch_mode_stops_cleanly_and_runs_the_hooks_once(package: Path, whole_group: bool) -> None:
    with watching(package) as server:
        child = int(server.get(VALUE).json()["pid"])
        if whole_group:
            os.killpg(server.process.pid, signal.SIGTERM)
        else:
            server.process.terminate()
        assert server.process.wait(timeout=60) == 0
        assert not is_running(child)
        assert hooks_run(package) == ["start", "stop", "stopped"]
        assert server.log.splitlines()[-1].endswith(": stopped")


def test_P05_a_generation_that_hangs_in_its_hooks_is_killed_when_the_grace_is_over(package: Path) -> None:
    source = package / "modules" / "probe" / "__init__.py"
    source.write_text(source.read_text().replace("await asyncio.sleep(", "import time; time.sleep("))
    environ = probe_environment(package, PROBE_HANG="60")
    with running(package, "--reload", "--grace", "0.5", **environ) as server:
        child = int(server.get(VALUE).json()["pid"])
        assert server.stop() == 1
        assert not is_running(child)
