"""Generates clients from the contracts of modules."""

from trading_api.codegen.clients.index import render_index
from trading_api.codegen.clients.module_client import render_module_client
from trading_api.codegen.clients.package import render_package
from trading_api.codegen.clients.source import ClientSource, ClientSourceError

__all__ = ["ClientSource", "ClientSourceError", "render_index", "render_module_client", "render_package"]
