"""Generated routers pass the project's own checks (G07)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.router_example import Example

from trading_api.shared.ws.module_router_generator import generate_module_routers

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
DECLARATIONS = '''\
import collections.abc
import decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from router_example import shapes
from router_example.shapes import Data as WsRoute
from router_example.shapes import Request as Wanted

if TYPE_CHECKING:
    from decimal import Decimal


class Own(BaseModel):
    """A type of this file."""


OrdersWsRouter: TypeAlias = WsRouter[Request, Data]
"""Short."""
AVeryLongNameThatMakesTheClassStatementLongWsRouter: TypeAlias = WsRouter[
    dict[str, tuple[Request, Data, shapes.Request, shapes.Data]],
    dict[str, tuple[Request, Data, shapes.Request]],
    Durable,
]
"""A text of one line that is so long that it does not fit, once indented, between the quotes of a docstring, words."""
UnionWsRouter: TypeAlias = "WsRouter[Own | None, Decimal | list['Wanted'], Conflate]"
"""Several lines,

- one of them 'quoted' and "quoted"
- https://example.org/a/word/that/is/so/long/that/it/can/not/be/wrapped/at/all/and/so/goes/beyond/the/end/of/the/line/ok
"""
TexturesWsRouter: TypeAlias = WsRouter[Annotated[int, Field(gt=-1)], Literal["a", 'b"', -1]]
WordyWsRouter: TypeAlias = WsRouter[
    int, Literal["a text that is longer than a line and that nobody can wrap as it is one string of a type, which is"]
]
Level10WsRouter: TypeAlias = WsRouter[WsRoute, decimal.Decimal]
Level2WsRouter: TypeAlias = WsRouter["WsRoute | None", collections.abc.Sequence[Own]]
'''
SHAPES = '''\
"""Types."""

from pydantic import BaseModel


class Request(BaseModel):
    """What is asked for."""


class Data(BaseModel):
    """What is said."""
'''


def check(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        env={**os.environ, "MYPYPATH": os.pathsep.join((str(cwd), str(ROOT / "backend" / "src")))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def generated(example: Example) -> Path:
    """The generated folder of declarations of every kind."""
    example.write("shapes.py", SHAPES)
    example.declare(DECLARATIONS)
    assert generate_module_routers("shop", folders=example.modules)
    assert len(example.files()) == 8
    return example.generated


def test_G07_generated_routers_pass_black_and_ruff(example: Example, generated: Path) -> None:
    folder = example.path.parent
    config = ROOT / "pyproject.toml"
    check("black", "--check", "--quiet", "--config", config, generated, cwd=folder)
    sources = f'src = ["{folder}"]'
    check("ruff", "check", "--no-cache", "--config", config, "--config", sources, generated, cwd=folder)


@pytest.mark.long
def test_G07_generated_routers_pass_mypy_strict(example: Example, generated: Path, tmp_path: Path) -> None:
    use = example.write(
        "use.py",
        """
        from router_example.modules.shop.ws.v1.ws_generated import ROUTERS, OrdersWsRouter
        from router_example.shapes import Data, Request
        from trading_api.shared.ws import AnyRoute, WsRoute

        route: str = OrdersWsRouter.route
        typed: type[WsRoute[Request, Data]] = OrdersWsRouter
        every: tuple[AnyRoute, ...] = ROUTERS
        """,
    )
    folder = example.path.parent
    options = ("--strict", "--explicit-package-bases", "--namespace-packages", "--follow-imports=silent")
    check("mypy", "--config-file=", "--cache-dir", tmp_path / "mypy", *options, generated, use, cwd=folder)
