"""Every legal way to declare a router gives the class it means (W01)."""

import sys
import typing
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import GenericAlias

import pytest
from support.router_example import Example, shape

from trading_api.shared.ws import Conflate, Disconnect, Durable, WsRoute

PLAIN = """
    from typing import TypeAlias
    """
FORMS = {
    "plain": ("", "OrdersWsRouter: TypeAlias = WsRouter[Request, Data]"),
    "not annotated": ("", "OrdersWsRouter = WsRouter[Request, Data]"),
    "several lines": ("", "OrdersWsRouter: TypeAlias = WsRouter[\n    Request,\n    Data,\n]"),
    "in parentheses": ("", "OrdersWsRouter: TypeAlias = (\n    WsRouter[Request, Data]\n)"),
    "quoted": ("", 'OrdersWsRouter: TypeAlias = "WsRouter[Request, Data]"'),
    "quoted arguments": ("", 'OrdersWsRouter: TypeAlias = WsRouter["Request", "Data"]'),
    "quoted twice": ("", "OrdersWsRouter: TypeAlias = \"WsRouter['Request', Data]\""),
    "quoted marker": ("", 'OrdersWsRouter: "TypeAlias" = WsRouter[Request, Data]'),
    "dotted marker": ("import typing", "OrdersWsRouter: typing.TypeAlias = WsRouter[Request, Data]"),
    "marker of typing_extensions": (
        "from typing_extensions import TypeAlias as Alias",
        "OrdersWsRouter: Alias = WsRouter[Request, Data]",
    ),
    "router under another name": (
        "from trading_api.shared.ws import WsRouter as Router",
        "OrdersWsRouter: TypeAlias = Router[Request, Data]",
    ),
    "router of the submodule": (
        "from trading_api.shared.ws.declaration import WsRouter",
        "OrdersWsRouter: TypeAlias = WsRouter[Request, Data]",
    ),
    "dotted router": ("from trading_api.shared import ws", "OrdersWsRouter: TypeAlias = ws.WsRouter[Request, Data]"),
    "router by a whole path": (
        "import trading_api.shared.ws",
        "OrdersWsRouter: TypeAlias = trading_api.shared.ws.WsRouter[Request, Data]",
    ),
    "router of a package under another name": (
        "import trading_api.shared.ws as w",
        "OrdersWsRouter: TypeAlias = w.WsRouter[Request, Data]",
    ),
    "dotted types": (
        "from router_example import shapes",
        "OrdersWsRouter: TypeAlias = WsRouter[shapes.Request, shapes.Data]",
    ),
    "types by a whole path": (
        "import router_example\nimport router_example.shapes\nimport router_example.modules",
        "OrdersWsRouter: TypeAlias = WsRouter[router_example.shapes.Request, 'router_example.shapes.Data']",
    ),
    "relative": (
        "from .....shapes import Request as R\nfrom ..... import shapes as s",
        "OrdersWsRouter: TypeAlias = WsRouter[R, s.Data]",
    ),
    "two in a line": ("", "X = 1; OrdersWsRouter: TypeAlias = WsRouter[Request, Data]"),
    "under TYPE_CHECKING": (
        "from typing import TYPE_CHECKING as CHECKING",
        "if CHECKING:\n    OrdersWsRouter: TypeAlias = WsRouter[Request, Data]",
    ),
    "under typing.TYPE_CHECKING": (
        "import typing",
        "if typing.TYPE_CHECKING:\n    if typing.TYPE_CHECKING:\n        OrdersWsRouter = WsRouter[Request, Data]",
    ),
    "beside what is none": (
        "",
        '"""OtherWsRouter: TypeAlias = WsRouter[Request, Data]"""\n'
        "# OtherWsRouter: TypeAlias = WsRouter[Request, Data]\n"
        "if False:\n    OtherWsRouter: TypeAlias = WsRouter[Request, Data]\n"
        "if 0:\n    def dead() -> None:\n        WsRouter[Request, Data]\n"
        "OrdersWsRouter: TypeAlias = WsRouter[Request, Data]\n"
        "EVERY: tuple[object, ...] = (OrdersWsRouter,)\n"
        "TEXT = 'OtherWsRouter: TypeAlias = WsRouter[Request, Data]'",
    ),
}


@pytest.mark.parametrize(("imports", "declaration"), FORMS.values(), ids=FORMS)
def test_W01_each_form_declares_the_same_router(example: Example, imports: str, declaration: str) -> None:
    usual = "from typing import TypeAlias\nfrom router_example.shapes import Data, Request\n"
    router = "" if "WsRouter" in imports or "ws" in imports else "from trading_api.shared.ws import WsRouter\n"
    found = example.routers(declaration + "\n", head=usual + router + imports + "\n")
    assert list(found) == ["orders"]
    orders = found["orders"]
    assert orders.__name__ == "OrdersWsRouter"
    assert issubclass(orders, WsRoute)
    assert (orders.request_type, orders.data_type) == (shape("Request"), shape("Data"))
    assert orders.delivery is Disconnect
    assert typing.get_args(orders.__orig_bases__[0]) == (shape("Request"), shape("Data"))  # type: ignore[attr-defined]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python has no type statement")
def test_W01_a_type_statement_declares_a_router(example: Example) -> None:
    assert list(example.routers("type OrdersWsRouter = WsRouter[Request, Data]\n")) == ["orders"]


def test_W01_the_third_argument_is_the_delivery(example: Example) -> None:
    found = example.routers("""
        from trading_api.shared import ws
        from trading_api.shared.ws.declaration import Disconnect as D
        AWsRouter: TypeAlias = WsRouter[Request, Data, Conflate]
        BWsRouter: TypeAlias = WsRouter[Request, Data, "Durable"]
        CWsRouter: TypeAlias = WsRouter[Request, Data, ws.Conflate]
        DWsRouter: TypeAlias = WsRouter[Request, Data, D]
        """)
    assert [found[route].delivery for route in "abcd"] == [Conflate, Durable, Conflate, Disconnect]


ARGUMENTS: dict[str, Callable[[], object]] = {
    "list[Data]": lambda: list[shape("Data")],  # type: ignore[misc]
    "list['Data'] | None": lambda: list[shape("Data")] | None,  # type: ignore[misc]
    "Data | Request": lambda: shape("Data") | shape("Request"),
    "dict[str, 'tuple[Data, ...]']": lambda: dict[str, tuple[shape("Data"), ...]],  # type: ignore[misc]
    "t.Literal['Data', -1]": lambda: typing.Literal["Data", -1],
    "t.Annotated['Data', 'Data', Fraction(-1, denominator=2)]": lambda: typing.Annotated[
        shape("Data"), "Data", Fraction(-1, denominator=2)
    ],
    "t.Optional[Later]": lambda: Decimal | None,
    "Own": lambda: int | str,
    "int": lambda: int,
    "None": lambda: None,
}


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_W01_any_type_may_be_an_argument(example: Example, argument: str) -> None:
    head = """
        import typing as t
        from typing import TYPE_CHECKING, TypeAlias
        from fractions import Fraction
        from router_example.shapes import Data, Request
        from trading_api.shared.ws import WsRouter
        if TYPE_CHECKING:
            from decimal import Decimal as Later
        Own = int | str
        """
    found = example.routers(f'OrdersWsRouter: TypeAlias = "WsRouter[{argument}, int]"\n', head=head)
    assert found["orders"].request_type == ARGUMENTS[argument]()


HEAD = "from typing import TypeAlias\nfrom trading_api.shared.ws import WsRouter\n"


def test_W01_types_of_the_file_itself_are_imported_from_it(example: Example) -> None:
    found = example.routers(
        """
        class Own(BaseModel):
            class Inner(BaseModel): pass
        try:
            from router_example.shapes import Data as Tried
        except ImportError:
            Tried = int
        if typing.TYPE_CHECKING:
            from router_example.shapes import Data as Told
        else:
            Told = Tried
        OrdersWsRouter: TypeAlias = WsRouter[Own.Inner, Tried]
        FillsWsRouter: TypeAlias = WsRouter[Own, Told]
        """,
        head="import typing\nfrom pydantic import BaseModel\n" + HEAD,
    )
    assert found["orders"].request_type.__qualname__ == "Own.Inner"
    assert found["orders"].data_type is found["fills"].data_type is shape("Data")


def test_W01_types_named_as_generated_code_names_its_own_things_do_not_clash(example: Example) -> None:
    found = example.routers("""
        from router_example.shapes import Data as Disconnect, Request as __request, WsRoute, route
        from router_example.shapes import Request as route_
        OrdersWsRouter: TypeAlias = WsRouter[route, WsRoute | Disconnect]
        FillsWsRouter: TypeAlias = WsRouter[__request, list[route_]]
        """)
    assert found["orders"].request_type is shape("route")
    assert found["orders"].data_type is shape("Data")
    assert (found["orders"].delivery, found["orders"].route) == (Disconnect, "orders")
    assert (found["fills"].request_type, found["fills"].data_type) == (
        shape("Request"),
        GenericAlias(list, shape("Request")),
    )


def test_W01_the_text_after_a_declaration_describes_it(example: Example) -> None:
    found = example.routers('''
        OrdersWsRouter: TypeAlias = WsRouter[Request, Data]
        """Every "order".

            Indented, with a \\\\ and \\"\\"\\"."""
        FillsWsRouter: TypeAlias = WsRouter[Request, Data]
        ''')
    assert found["orders"].__doc__
    assert found["orders"].__doc__.split("\n")[0] == 'Every "order".'
    assert '    Indented, with a \\ and """.' in found["orders"].__doc__
    assert found["fills"].__doc__ == "The route `fills`."


def test_W01_no_declaration_gives_no_router(example: Example) -> None:
    assert example.routers("", head="") == {}
