"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

from trading_api.models.market import QuoteData, QuotesSubscription
from trading_api.shared.ws import Conflate, WsRoute


class QuotesWsRouter(WsRoute[QuotesSubscription, QuoteData]):
    """Live quotes, one symbol an update: all at once, then fast symbols as they change, the others once a minute."""

    route = "quotes"
    request_type = QuotesSubscription
    data_type = QuoteData
    delivery = Conflate
