"""Where in a request each field of the domain stands: the one table of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trading_api.modules.broker.domain.field import Field

LOCATIONS: Final[Mapping[Field | None, str]] = {
    None: "body",
    Field.SYMBOL: "body.symbol",
    Field.TYPE: "body.type",
    Field.SIDE: "body.side",
    Field.QTY: "body.qty",
    Field.LIMIT_PRICE: "body.limitPrice",
    Field.STOP_PRICE: "body.stopPrice",
    Field.TAKE_PROFIT: "body.takeProfit",
    Field.STOP_LOSS: "body.stopLoss",
    Field.GUARANTEED_STOP: "body.guaranteedStop",
    Field.TRAILING_STOP_PIPS: "body.trailingStopPips",
    Field.STOP_TYPE: "body.stopType",
    Field.DURATION: "body.duration",
    Field.DURATION_KIND: "body.duration.type",
    Field.DURATION_UNTIL: "body.duration.datetime",
    Field.IS_CLOSE: "body.isClose",
    Field.ORDER_ID: "path.order_id",
    Field.REPEATED_ID: "body.id",
    Field.POSITION_ID: "path.position_id",
    Field.AMOUNT: "query.amount",
    Field.LEVERAGE: "body.leverage",
    # Which of the list is told by the text.
    Field.FILL_ORDER_ID: "body.orders",
    Field.FILL_QTY: "body.orders",
    Field.FILL_PRICE: "body.orders",
}
"""Of every operation that has none of its own below. None: the request as a whole."""

OWN_LOCATIONS: Final[Mapping[str, Mapping[Field | None, str]]] = {
    # These have no body.
    "cancelOrder": {None: "path.order_id"},
    "closePosition": {None: "path.position_id", Field.QTY: "query.amount"},
    "editPositionBrackets": {
        Field.TAKE_PROFIT: "body.brackets.takeProfit",
        Field.STOP_LOSS: "body.brackets.stopLoss",
        Field.GUARANTEED_STOP: "body.brackets.guaranteedStop",
        Field.TRAILING_STOP_PIPS: "body.brackets.trailingStopPips",
        Field.STOP_TYPE: "body.brackets.stopType",
    },
}
"""By operation id, where they differ."""


def location_of(field: Field | None, operation_id: str | None) -> str:
    """The location as a dotted path, as validation tells it too."""
    own = OWN_LOCATIONS.get(operation_id or "", {})
    return own.get(field) or LOCATIONS[field]
