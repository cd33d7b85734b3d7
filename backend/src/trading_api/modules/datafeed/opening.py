"""From the settings to a datafeed."""

from __future__ import annotations

from functools import partial

from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.feed.live import LiveFeed
from trading_api.modules.datafeed.feed.quoted import quoted
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.instruments.directory import InstrumentDirectory, open_directory
from trading_api.modules.datafeed.service import DatafeedService
from trading_api.settings import Settings


def open_service(settings: Settings) -> DatafeedService:
    """A datafeed whose store and bus are opened when they are first needed.

    Raises StoreUrlError, BusUrlError, and CatalogueError when the shipped catalogue has been broken.
    """
    store = open_store(settings.store_url)
    directory = open_directory(store.engine)
    source = open_source(settings, store, directory)
    feed = LiveFeed(source, find=partial(quoted, directory, source))
    return DatafeedService(store, directory, feed, partial(store.rebuild_missing, directory.find))


def open_source(settings: Settings, store: BarStore, directory: InstrumentDirectory) -> FeedSource:
    """The feed of the kind that is set. Each is imported only when it is the one."""
    if settings.feed.kind == "replay":
        from trading_api.modules.datafeed.feed.replay import ReplayFeed

        return ReplayFeed(store.engine, store, settings.feed, directory.find)
    if settings.feed.kind == "manual":
        from trading_api.modules.datafeed.feed.manual import ManualFeed
        from trading_api.modules.datafeed.feed.tick_store import TickStore
        from trading_api.shared.bus import open_bus

        return ManualFeed(TickStore(store.engine), open_bus(settings.bus_url, settings.bus_token_file), directory.find)
    from trading_api.modules.datafeed.feed.simulator import Simulator

    return Simulator(settings.feed.seed)
