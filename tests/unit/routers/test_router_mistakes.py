"""What is no declaration although it looks like one is refused, with its place (G07)."""

import sys

import pytest
from support.router_example import Example

# What is written below the three lines of imports; the place of the problem; what it says.
MISTAKES = {
    "in a function": ("def f():\n    XWsRouter: TypeAlias = WsRouter[Request, Data]", (5, 28), "not understood"),
    "in a class": ("class A:\n    XWsRouter = WsRouter[Request, Data]", (5, 17), "not understood"),
    "in another if": ("if 1:\n    XWsRouter = WsRouter[Request, Data]", (5, 17), "not understood"),
    "in try": ("try:\n    XWsRouter = WsRouter[Request, Data]\nfinally: pass", (5, 17), "not understood"),
    "in else of dead code": ("if False:\n    pass\nelse:\n    XWsRouter = WsRouter[Request, Data]", (7, 17), "not und"),
    "other annotation": ("XWsRouter: type = WsRouter[Request, Data]", (4, 12), "not typing's TypeAlias"),
    "two targets": ("XWsRouter = YWsRouter = WsRouter[Request, Data]", (4, 25), "not understood"),
    "part of a type": ("XWsRouter: TypeAlias = WsRouter[Request, Data] | None", (4, 24), "not understood"),
    "part of a quoted type": ("Orders: TypeAlias = 'WsRouter[Request, Data] | None'", (4, 21), "not understood"),
    "without arguments": ("XWsRouter: TypeAlias = WsRouter", (4, 24), "not understood"),
    "another name for it": ("Router = WsRouter\nX: TypeAlias = Router[Request, Data]", (4, 10), "not understood"),
    "a base class": ("class XWsRouter(WsRouter[Request, Data]): pass", (4, 17), "not understood"),
    "only named so": ("XWsRouter: TypeAlias = list[Request]", (4, 1), "named as a router is"),
    "quoted garbage": ("XWsRouter: TypeAlias = 'WsRouter[Request,'", (4, 1), "named as a router is"),
    "quoted, not said to be a type": ("XWsRouter = 'WsRouter[Request, Data]'", (4, 1), "named as a router is"),
    "only declared": ("XWsRouter: TypeAlias", (4, 1), "named as a router is"),
    "a class named so": ("class XWsRouter: pass", (4, 1), "named as a router is"),
    "one argument": ("XWsRouter: TypeAlias = WsRouter[Request]", (4, 24), "delivery, not 1 argument;"),
    "four arguments": ("XWsRouter: TypeAlias = WsRouter[Request, Data, Conflate, int]", (4, 24), "not 4 arguments;"),
    "no delivery": ("XWsRouter: TypeAlias = WsRouter[Request, Data, Data]", (4, 48), "'Data' is no delivery; import"),
    "quoted no delivery": ("XWsRouter: TypeAlias = WsRouter[Request, Data, 'a b']", (4, 48), "is no delivery"),
    "no suffix": ("Orders: TypeAlias = WsRouter[Request, Data]", (4, 1), "as in OrdersWsRouter"),
    "nothing but the suffix": ("WsRouter2 = 1\nWsRouter: TypeAlias = WsRouter[int, int]", (5, 1), "named as a"),
    "small letters": ("ordersWsRouter: TypeAlias = WsRouter[Request, Data]", (4, 1), "write it in CapWords"),
    "underscores": ("Or_dersWsRouter: TypeAlias = WsRouter[Request, Data]", (4, 1), "write it in CapWords"),
    "not ASCII": ("ÄWsRouter: TypeAlias = WsRouter[Request, Data]", (4, 1), "write it in CapWords"),
    "keyword": ("ClassWsRouter: TypeAlias = WsRouter[Request, Data]", (4, 1), "'class' is a Python keyword"),
    "unknown name": ("XWsRouter: TypeAlias = WsRouter[Request, Nope]", (4, 42), "'Nope' is not defined; import it"),
    "unknown name in quotes": ("XWsRouter: TypeAlias = WsRouter[Request, 'Nope']", (4, 42), "'Nope' is not defined"),
    "unknown name, deep": ("XWsRouter: TypeAlias = WsRouter[Request, list[Data | Nope]]", (4, 54), "'Nope' is not"),
    "quotes around nothing": ("XWsRouter: TypeAlias = WsRouter[Request, ' ']", (4, 42), "no Python expression"),
    "no type": ("XWsRouter: TypeAlias = WsRouter[Request, (lambda: int)]", (4, 43), "is no type"),
    "a number": ("XWsRouter: TypeAlias = 'WsRouter[Request, dict[str, 1]]'", (4, 24), "1 is no type"),
    "not generic": ("XWsRouter: TypeAlias = 'WsRouter[Request, Data[int]]'", (4, 1), "cannot be imported: TypeError"),
    "data that is no JSON": (
        "import types\nXWsRouter: TypeAlias = WsRouter[Request, types.ModuleType]",
        (5, 1),
        "XWsRouter has a data type that JSON cannot say: PydanticSchemaGenerationError",
    ),
    "a request that is no JSON": (
        "from collections.abc import Callable\nXWsRouter: TypeAlias = WsRouter[Callable[[int], str], Data]",
        (5, 1),
        "XWsRouter has a request type that JSON cannot say: PydanticInvalidForJsonSchema",
    ),
    "after text that is not ASCII": ("_ = 'äö'; XWsRouter: TypeAlias = WsRouter[Request, Nope]", (4, 52), "'Nope'"),
    "for type checkers only": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    class Own: ...\nXWsRouter = WsRouter[int, 'Own']",
        (7, 27),
        "'Own' exists for type checkers only",
    ),
    "else of TYPE_CHECKING": (
        "import typing\nif typing.TYPE_CHECKING:\n    pass\nelse:\n    XWsRouter = WsRouter[Request, Data]",
        (8, 17),
        "not understood",
    ),
    "module that is not there": (
        "from router_example.nope import Thing\nXWsRouter: TypeAlias = 'WsRouter[Thing, Data]'",
        (5, 24),
        "'nope' does not exist in router_example",
    ),
    "type that is not there": (
        "from router_example.shapes import Dato\nXWsRouter: TypeAlias = WsRouter[Request, Dato]",
        (5, 42),
        "'Dato' does not exist in router_example.shapes; did you mean 'Data'?",
    ),
    "dotted type that is not there": (
        "from router_example import shapes\nXWsRouter: TypeAlias = WsRouter[Request, shapes.Dato]",
        (5, 42),
        "'Dato' does not exist in router_example.shapes",
    ),
    "type that its module has for type checkers only": (
        "from router_example.shapes import OnlyForCheckers as O\nXWsRouter: TypeAlias = WsRouter[Request, O]",
        (5, 42),
        "'OnlyForCheckers' does not exist in router_example.shapes",
    ),
    "type of a library that is not there": (
        "from decimal import Dezimal\nXWsRouter: TypeAlias = 'WsRouter[Request, Dezimal]'",
        (5, 1),
        "ImportError: cannot import name 'Dezimal' from 'decimal'",
    ),
    "relative import out of the package": (
        "from ......outside import Thing\nXWsRouter: TypeAlias = 'WsRouter[Request, int]'",
        (4, 1),
        "leads out of the top-level package",
    ),
    "star import": ("from router_example.shapes import *", (4, 1), "a star import hides"),
    "declared twice": (
        "XWsRouter: TypeAlias = WsRouter[Request, Data]\nXWsRouter: TypeAlias = WsRouter[Data, Data]",
        (5, 1),
        "'x' is declared twice, first by XWsRouter on line 4",
    ),
    "one name of two aliases": (
        "OHLCBarsWsRouter: TypeAlias = WsRouter[Request, Data]\nOhlcBarsWsRouter: TypeAlias = WsRouter[Data, Data]",
        (5, 1),
        "'ohlc-bars' is declared twice, first by OHLCBarsWsRouter on line 4",
    ),
    "package named as generated code names a thing": (
        "import route.x\nXWsRouter: TypeAlias = WsRouter[Request, 'route.x.Y']",
        (5, 42),
        "the name 'route' has a meaning in generated code; import it `as`",
    ),
    "syntax error": ("XWsRouter: TypeAlias = WsRouter[Request, Data", (4, 32), "syntax error: '[' was never closed"),
}


@pytest.mark.parametrize(("source", "place", "said"), MISTAKES.values(), ids=MISTAKES)
def test_G07_a_mistake_is_refused_with_its_place(
    example: Example, source: str, place: tuple[int, int], said: str
) -> None:
    problems = example.problems(source + "\n")
    assert [(found.line, found.column) for found in problems] == [place], problems
    assert said in str(problems[0])
    assert str(problems[0]).startswith(f"{example.ws / '__init__.py'}:{place[0]}:{place[1]}: ")


def test_G07_without_an_import_of_wsrouter_the_error_gives_its_line(example: Example) -> None:
    head = "from typing import TypeAlias\n"
    (problem,) = example.problems("XWsRouter: TypeAlias = WsRouter[int, int]\n", head=head)
    assert "WsRouter is not imported; from trading_api.shared.ws import WsRouter" in str(problem)


def test_G07_a_wsrouter_of_somebody_else_is_none(example: Example) -> None:
    example.write("other.py", "WsRouter = dict\n")
    head = "from typing import TypeAlias\nfrom router_example.other import WsRouter\n"
    (problem,) = example.problems("XWsRouter: TypeAlias = WsRouter[int, int]\n", head=head)
    assert "XWsRouter is named as a router is" in problem.reason


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python has the type statement")
def test_G07_a_type_statement_that_this_python_lacks_is_told(example: Example) -> None:
    (problem,) = example.problems("type XWsRouter = WsRouter[Request, Data]\n")
    assert "needs Python 3.12; write `X: TypeAlias = …`" in problem.hint


def test_G07_all_mistakes_of_a_file_are_told_at_once_in_order(example: Example) -> None:
    problems = example.problems("""\
        from router_example.shapes import *
        OneWsRouter: TypeAlias = WsRouter[Nope, Nada, Never]
        Two: TypeAlias = WsRouter[Request, Data]
        FineWsRouter: TypeAlias = WsRouter[Request, Data]
        """)
    assert [(found.line, found.column) for found in problems] == [(4, 1), (5, 35), (5, 41), (5, 47), (6, 1)]


def test_G07_a_broken_module_of_types_is_told_at_the_declaration(example: Example) -> None:
    example.write("broken.py", "class Thing: pass\n1 / 0\n")
    (problem,) = example.problems(
        "from router_example.broken import Thing\nXWsRouter: TypeAlias = 'WsRouter[Request, Thing]'\n"
    )
    assert (problem.line, problem.reason) == (5, "XWsRouter cannot be imported: ZeroDivisionError: division by zero")


def test_G07_names_that_only_an_import_can_tell_are_believed_then_tried(example: Example) -> None:
    example.write("dynamic.py", "def __getattr__(name):\n    if name == 'Made': return int\n    raise AttributeError\n")
    example.write("starry.py", "from router_example.shapes import *\n")
    found = example.routers("""
        from router_example import dynamic, starry
        XWsRouter: TypeAlias = WsRouter[dynamic.Made, starry.Data]
        """)
    assert found["x"].request_type is int
    (problem,) = example.problems(
        "from router_example import starry\nXWsRouter: TypeAlias = 'WsRouter[int, starry.Nope]'\n"
    )
    assert "AttributeError: module 'router_example.starry' has no attribute 'Nope'" in problem.reason
