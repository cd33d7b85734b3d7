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

# The smallest contract there is: rendering it imports all that rendering needs, while nobody waits yet.
_NOTHING = {"openapi": "3.1.0", "info": {"title": "nothing", "version": "v1"}, "servers": [{"url": "/"}], "paths": {}}


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
        renderer.client(VersionSpecs("nothing", "v1", {"openapi": json.dumps(_NOTHING)}))
    except CannotRender:
        return


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
