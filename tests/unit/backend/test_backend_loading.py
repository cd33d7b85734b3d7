"""A module that is broken inside fails with its name, its file and the cause (A01)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.backend_modules import API, GOOD_WS, INIT, WS, WS_INIT, importable, write_module

from trading_api.app_factory import create_app
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.errors import ModuleError
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.registry import discover

DURABLE = WS.replace("[Echo, Echo]", "[Echo, Echo, Durable]").replace("import WsRouter", "import Durable, WsRouter")
SECOND_CLASS = "\n    class AnotherModule(ExampleModule):\n        pass\n"


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "loading_example"
    write_module(path, "core")
    with importable(path):
        yield path


def app_of(modules: Path) -> ModularApp:
    return create_app(Settings(development=True), discover(modules.name, modules))


def failure(modules: Path, files: Mapping[str, str]) -> ModuleError:
    write_module(modules, "broker", files)
    with pytest.raises(ModuleError) as caught:
        app_of(modules)
    assert caught.value.module == "broker"
    assert "module 'broker'" in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("files", "place", "reason"),
    [
        ({"__init__.py": "import no_such_thing\n"}, "broker/__init__.py:1", "ModuleNotFoundError: No module named"),
        ({"__init__.py": "\ndef broken(:\n"}, "broker/__init__.py:2", "SyntaxError: invalid syntax"),
        ({"__init__.py": INIT, "api/v1.py": "\n\n1 / 0\n"}, "broker/api/v1.py:3", "ZeroDivisionError"),
        ({"__init__.py": "raise SystemExit\n"}, "broker/__init__.py:1", "SystemExit"),
        ({"__init__.py": "from trading_api.shared.module import Module\n"}, "__init__.py", "found: none"),
        ({"__init__.py": INIT + SECOND_CLASS}, "broker/__init__.py", "found: AnotherModule, ExampleModule"),
        ({"__init__.py": INIT.replace("return Service()", "raise OSError('no store')")}, ":9", "OSError: no store"),
        ({"__init__.py": INIT.replace("create_service", "other")}, "broker", "TypeError"),
        ({"__init__.py": INIT, "api/v1.py": "router = None\n"}, "broker/api/v1.py", "must derive from APIRouterInterf"),
        ({"__init__.py": INIT, "api/v1.py": API.replace("pass", "self.nope()")}, "broker/api/v1.py:6", "nope"),
        ({**GOOD_WS, "ws/v1/__init__.py": "1 / 0\n"}, "broker/ws/v1/__init__.py:1", "ZeroDivisionError"),
        ({**GOOD_WS, "__init__.py": INIT}, "service.py", "Service has no async method create_topic, which the route"),
        (
            {**GOOD_WS, "__init__.py": WS_INIT.replace("remove_topic", "other")},
            "broker/__init__.py",
            "EchoService has no async method remove_topic, which the route echo needs",
        ),
        (
            {**GOOD_WS, "__init__.py": WS_INIT.replace("async def create_topic", "def create_topic")},
            "broker/__init__.py",
            "EchoService has no async method create_topic",
        ),
        (
            {**GOOD_WS, "ws/v1/__init__.py": DURABLE},
            "broker/__init__.py",
            "EchoService has no async method replay, which the durable route echo needs",
        ),
    ],
)
def test_A01_broken_module_fails_startup_with_its_name(
    modules: Path, files: Mapping[str, str], place: str, reason: str
) -> None:
    error = failure(modules, {"api/v1.py": API, **files})
    assert place in str(error.place)
    assert reason in error.reason


def test_A01_the_cause_is_kept_for_the_traceback(modules: Path) -> None:
    error = failure(modules, {"__init__.py": INIT, "api/v1.py": "1 / 0\n"})
    assert isinstance(error.__cause__, ZeroDivisionError)


def test_A01_an_imported_module_class_is_not_taken_for_its_own(modules: Path) -> None:
    source = f"from {modules.name}.core import ExampleModule as Other\n"
    error = failure(modules, {"__init__.py": source, "api/v1.py": API})
    assert "found: none" in error.reason


def test_A01_multi_word_module_is_served_under_its_folder_name(modules: Path) -> None:
    write_module(modules, "order_book")
    assert [app.prefix for app in app_of(modules).module_apps] == ["/v1/core", "/v1/order_book"]


def test_A02_a_version_may_be_a_package_that_reexports_its_router(modules: Path) -> None:
    files = {"__init__.py": INIT, "api/v1/routes.py": API, "api/v1/__init__.py": "from .routes import ExampleApi\n"}
    write_module(modules, "broker", files)
    assert "/v1/broker" in [app.prefix for app in app_of(modules).module_apps]


def test_M02_another_modules_code_is_not_imported(modules: Path) -> None:
    write_module(modules, "broker", {"__init__.py": "raise AssertionError('imported')\n", "api/v1.py": API})
    app = create_app(Settings(enabled_modules=(ModuleChoice("core"),)), discover(modules.name, modules))
    assert [mounted.prefix for mounted in app.module_apps] == ["/v1/core"]
