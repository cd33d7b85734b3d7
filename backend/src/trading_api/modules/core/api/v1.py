"""Version 1 of the core module's REST API."""

from trading_api.modules.core import CoreModule
from trading_api.shared.api import APIRouterInterface


class CoreApi(APIRouterInterface[CoreModule]):
    """The three routes of every module."""

    def register(self) -> None:
        """Nothing beyond them yet."""
