"""Names of new modules: what is refused, and why (A07)."""

import keyword
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backend_modules import write_module

from trading_api.codegen.new_module.request import MAX_LENGTH, NewModule, problems
from trading_api.server.reload.scope import is_source
from trading_api.shared.registry import discover, installed_modules, select

words = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
names = st.lists(words, min_size=1, max_size=4).map("_".join).filter(lambda name: not problems(NewModule(name), ()))


def said(name: str, version: str = "v1", existing: Sequence[str] = ()) -> str:
    return "\n".join(problems(NewModule(name, version), existing))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "make new-module name=order_book"),
        ("json", "a package that code imports"),
        ("trading_api", "a package that code imports"),
        ("OrderBook", "write words of a-z"),
        ("order-book", "write words of a-z"),
        ("order book", "write words of a-z"),
        ("order.book", "write words of a-z"),
        ("../order_book", "write words of a-z"),
        ("_order", "write words of a-z"),
        ("order_", "write words of a-z"),
        ("order__book", "write words of a-z"),
        ("2nd", "write words of a-z"),
        ("ordér", "write words of a-z"),
        ("order_book\n", "write words of a-z"),
        ("x" * (MAX_LENGTH + 1), "41 characters are too many"),
        ("class", "Python keyword"),
        ("async", "Python keyword"),
        ("docs", "/api/v1/docs"),
        ("ws", "/api/v1/ws"),
        ("openapi", "/api/v1/openapi"),
        ("clients", "watch mode"),
        ("templates", "watch mode"),
        ("broker_v2", "'_v2' at the end"),
        ("broker_sync", "'_sync' at the end"),
    ],
)
def test_A07_a_name_that_cannot_be_served_is_refused_with_the_reason(name: str, why: str) -> None:
    assert why in said(name)


@pytest.mark.parametrize("name", ["risk", "order_book", "x", "l2", "order_book_2", "match", "sync", "v2", "v2_book"])
def test_A07_an_ordinary_name_is_taken(name: str) -> None:
    assert said(name, existing=tuple(installed_modules())) == ""


@pytest.mark.parametrize("version", ["", "1", "v0", "v01", "V1", "v1.0", "v-1", "v12345"])
def test_A07_a_version_that_would_not_be_found_is_refused(version: str) -> None:
    assert f"version {version!r}" in said("order_book", version)


def test_A07_every_problem_is_told_in_one_run() -> None:
    assert len(problems(NewModule("Order__Book_v2" + "x" * 40, "1"), ())) == 3


def test_A07_names_whose_classes_would_be_the_same_are_refused() -> None:
    assert "too like the module 'a_b'" in said("ab", existing=("a_b", "core"))
    assert said("ab", existing=("abc", "core")) == ""


def test_A07_a_name_is_spelled_in_three_ways() -> None:
    module = NewModule("order_book")
    assert (module.stem, module.alias, module.route) == ("OrderBook", "OrderBookNotesWsRouter", "order-book-notes")


@given(names)
def test_A07_what_is_taken_here_is_taken_by_the_registry_and_by_watch_mode(name: str) -> None:
    with TemporaryDirectory() as folder:
        write_module(Path(folder), "core")
        file = write_module(Path(folder), name) / "service.py"
        assert {selection.folder.name for selection in select(discover("example", Path(folder)), ())} == {"core", name}
        assert is_source(Path("modules") / file.relative_to(folder))


@given(names)
def test_A07_names_give_classes_and_routes_that_can_be_written(name: str) -> None:
    module = NewModule(name)
    assert module.stem.isidentifier()
    assert not keyword.iskeyword(module.stem)
    assert module.route.replace("-", "").removesuffix("notes") == name.replace("_", "")


@given(names, names)
def test_A07_two_modules_share_a_class_or_a_route_only_if_their_names_are_too_like(one: str, other: str) -> None:
    first, second = NewModule(one), NewModule(other)
    if one != other and (first.stem == second.stem or first.route == second.route):
        assert "too like" in said(other, existing=(one,))
