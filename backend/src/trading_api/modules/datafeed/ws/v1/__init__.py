"""Version 1 of the datafeed's WebSocket routes."""

from typing import TypeAlias

from trading_api.models.market import Bar, BarsSubscription, QuoteData, QuotesSubscription
from trading_api.shared.ws import Conflate, WsRouter

BarsWsRouter: TypeAlias = WsRouter[BarsSubscription, Bar]
"""Live bars of one symbol: the current bar at once, then whenever it changes; it is complete when the next begins."""

QuotesWsRouter: TypeAlias = WsRouter[QuotesSubscription, QuoteData, Conflate]
"""Live quotes, one symbol an update: all at once, then fast symbols as they change, the others once a minute."""
