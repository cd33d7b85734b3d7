"""Symbols, history and quotes: search, resolve, bars, live quotes and bars, and the import of bars from files."""

from trading_api.modules.datafeed.service import DatafeedService
from trading_api.modules.datafeed.store_url import open_store
from trading_api.settings import Settings
from trading_api.shared.module import Module


class DatafeedModule(Module[DatafeedService]):
    """The datafeed; its store is opened by the first request that reads it."""

    def create_service(self, settings: Settings) -> DatafeedService:
        return DatafeedService(open_store(settings.store_url))
