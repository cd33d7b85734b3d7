"""What changed between two versions of a contract, and what of it breaks an existing client (G03). Pure: no I/O."""

from trading_api.codegen.differ.asyncapi import diff_asyncapi
from trading_api.codegen.differ.change import Change, Direction
from trading_api.codegen.differ.openapi import diff_openapi

__all__ = ["Change", "Direction", "diff_asyncapi", "diff_openapi"]
