"""The REST side of a module: the base class of every `modules/<name>/api/v1.py`."""

from trading_api.shared.api.interface import SAFE, APIRouterInterface

__all__ = ["SAFE", "APIRouterInterface"]
