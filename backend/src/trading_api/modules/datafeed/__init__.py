"""Symbols, history and quotes: search, resolve, bars, live quotes and bars, and the import of bars from files."""

from trading_api.modules.datafeed.opening import open_service
from trading_api.modules.datafeed.service import DatafeedService
from trading_api.settings import Settings
from trading_api.shared.module import Module


class DatafeedModule(Module[DatafeedService]):
    """The datafeed; its store is opened by the first request that reads it."""

    traits = ("makes-feed", "uses-bus", "uses-store")
    """The deployment gives several of its processes a bus; watch mode loads the database's library beforehand."""

    def create_service(self, settings: Settings) -> DatafeedService:
        return open_service(settings)
