"""Renders clients for another process: `python -m trading_api.codegen.render_worker`, an order and an answer a line.

An order is `{"what": "client" | "index" | "package", "versions": [...]}`; the answer is file name → text, or
`{"error": why}`. Ends with its input.
"""

import json
import sys
from collections.abc import Iterable
from typing import TextIO

from trading_api.codegen.rendering import CannotRender, LocalRenderer, rendered
from trading_api.codegen.version_specs import VersionSpecs
from trading_api.server.process import collector_paused

# The smallest contract that takes all that rendering imports, models too: done while nobody waits yet.
_PRICE = {"type": "object", "properties": {"price": {"type": "number", "default": 1}}, "required": ["price"]}
_ANSWER = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Price"}}}}}
SMALLEST = {
    "openapi": "3.1.0",
    "info": {"title": "smallest", "version": "v1"},
    "servers": [{"url": "/"}],
    "paths": {"/price": {"get": {"operationId": "getPrice", "responses": _ANSWER}}},
    "components": {"schemas": {"Price": _PRICE}},
}


def main(orders: Iterable[str], answers: TextIO) -> None:
    """Answer every order."""
    renderer = LocalRenderer()
    _warm_up(renderer)
    for order in orders:
        asked = json.loads(order)
        try:
            answer = dict(rendered(renderer, asked["what"], [VersionSpecs(**one) for one in asked["versions"]]))
        except CannotRender as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _warm_up(renderer: LocalRenderer) -> None:
    try:
        renderer.client(VersionSpecs("smallest", "v1", {"openapi": json.dumps(SMALLEST)}))
    except CannotRender:
        return


if __name__ == "__main__":
    # A short life leaves no garbage that is worth looking for.
    with collector_paused():
        main(sys.stdin, sys.stdout)
