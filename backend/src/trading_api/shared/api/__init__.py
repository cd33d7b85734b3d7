"""The REST side of a module: the base class of every `modules/<name>/api/v1.py`."""

from trading_api.shared.api.interface import APIRouterInterface

__all__ = ["APIRouterInterface"]
