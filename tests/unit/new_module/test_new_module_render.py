"""The text of new modules: valid, formatted, and with WebSockets only where they are asked for (A07)."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_api.codegen.new_module.render import render
from trading_api.codegen.new_module.request import MAX_LENGTH, NewModule

PARTS = ("models", "module", "tests")
names = st.one_of(st.from_regex(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", fullmatch=True), st.just("x" * MAX_LENGTH))


def files(module: NewModule) -> dict[str, str]:
    return {f"{part}/{name}": text for part in PARTS for name, text in render(module, part).items()}


def test_A07_a_module_without_websockets_speaks_of_none() -> None:
    found = files(NewModule("order_book"))
    assert sorted(found) == [
        "models/__init__.py",
        "models/notes.py",
        "module/__init__.py",
        "module/api/__init__.py",
        "module/api/v1.py",
        "module/service.py",
        "tests/test_order_book.py",
    ]
    for word in ("Topic", "WsRouter", "Subscription", "websocket", "asyncio", "subscriber"):
        assert not [path for path, text in found.items() if word in text], word


def test_A07_a_module_with_websockets_declares_one_route() -> None:
    found = files(NewModule("order_book", ws=True))
    assert {"module/ws/__init__.py", "module/ws/v1/__init__.py"} <= found.keys()
    assert "OrderBookNotesWsRouter: TypeAlias = WsRouter[" in found["module/ws/v1/__init__.py"]
    assert "order-book-notes.subscribe" in found["tests/test_order_book.py"]


def test_A07_the_version_names_files_and_addresses() -> None:
    found = files(NewModule("order_book", "v3", ws=True))
    assert {"module/api/v3.py", "module/ws/v3/__init__.py"} <= found.keys()
    assert not [path for path, text in found.items() if "v1" in path or "v1" in text]


@pytest.mark.parametrize("ws", [False, True])
def test_A07_every_text_is_the_same_in_every_run(ws: bool) -> None:
    assert files(NewModule("order_book", ws=ws)) == files(NewModule("order_book", ws=ws))


@pytest.mark.long
@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(names.filter(lambda name: len(name) <= MAX_LENGTH), st.booleans())
def test_A07_every_name_gives_python_that_keeps_to_the_line_length(name: str, ws: bool) -> None:
    for path, text in files(NewModule(name, ws=ws)).items():
        tree = ast.parse(text)
        assert ast.get_docstring(tree), path
        assert max(map(len, text.splitlines())) <= 120, path
        assert text.endswith("\n")
        assert "{{" not in text
        assert "{%" not in text
