"""What of a request a reason to refuse it is about."""

from __future__ import annotations

from enum import Enum


class Field(Enum):
    """The fields of `requests.py`, by their names there; one that is within another after a dot.

    The values are stored with answers: a name that was used stays. Where in a request of HTTP each stands is told in
    `api/locations.py`.
    """

    _value_: str
    shown: str
    """What the texts call it: by TradingView's name, as clients send it."""

    SYMBOL = "symbol"
    TYPE = "type"
    SIDE = "side"
    QTY = "qty"
    LIMIT_PRICE = "limit_price", "limitPrice"
    STOP_PRICE = "stop_price", "stopPrice"
    TAKE_PROFIT = "brackets.take_profit", "takeProfit"
    STOP_LOSS = "brackets.stop_loss", "stopLoss"
    GUARANTEED_STOP = "brackets.guaranteed_stop", "guaranteedStop"
    TRAILING_STOP_PIPS = "brackets.trailing_stop_pips", "trailingStopPips"
    STOP_TYPE = "brackets.stop_type", "stopType"
    DURATION = "duration"
    DURATION_KIND = "duration.kind", "duration.type"
    DURATION_UNTIL = "duration.until_ms", "duration.datetime"
    IS_CLOSE = "is_close", "isClose"
    ORDER_ID = "order_id", "id"
    """Of the order that is meant."""
    REPEATED_ID = "id"
    """The same, where a client that sends the whole order repeats it."""
    POSITION_ID = "position_id", "id"
    AMOUNT = "amount"
    LEVERAGE = "leverage"
    FILL_ORDER_ID = "fills.order_id", "orderId"
    FILL_QTY = "fills.qty", "qty"
    FILL_PRICE = "fills.price", "price"

    def __new__(cls, word: str, shown: str = "") -> Field:
        member = object.__new__(cls)
        member._value_ = word
        member.shown = shown or word
        return member
