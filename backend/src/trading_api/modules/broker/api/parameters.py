"""The parameters of the broker's routes, and the problems that its routes are documented with."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import Header, Path, Query
from pydantic import BeforeValidator, Field, WithJsonSchema

from trading_api.models.broker import OrderType, Side
from trading_api.models.broker.texts import NO_NUL
from trading_api.modules.broker.journal.queries import MOST_EXECUTIONS
from trading_api.shared.problems import MEDIA_TYPE

IDEMPOTENCY_KEY = "Idempotency-Key"
_MAX_ID = 80
_Text = Annotated[str, NO_NUL]
_DECIMAL = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")


def _decimal(written: object) -> object:
    """Python takes `1_0`, ` 5` and the digits of every script."""
    if isinstance(written, str) and not _DECIMAL.fullmatch(written):
        raise ValueError("must be a number in the digits 0 to 9, such as 0.5 or 12")
    return written


def _whole(written: object) -> object:
    """Pydantic takes `1_0`, ` 5` and `5.0`."""
    if isinstance(written, str) and not _WHOLE.fullmatch(written):
        raise ValueError("must be a whole number in the digits 0 to 9, such as 100")
    return written


_DECIMAL_ONLY: Final = BeforeValidator(_decimal)
_WHOLE_ONLY: Final = BeforeValidator(_whole)

OrderId = Annotated[_Text, Path(min_length=1, max_length=_MAX_ID, description="The order's id.")]
PositionId = Annotated[_Text, Path(min_length=1, max_length=_MAX_ID, description="The position's id: its symbol.")]
SymbolPath = Annotated[_Text, Path(min_length=1, max_length=_MAX_ID, description="NAME or EXCHANGE:NAME, in any case.")]
SymbolQuery = Annotated[
    _Text, Query(min_length=1, max_length=_MAX_ID, description="NAME or EXCHANGE:NAME, in any case.")
]
OrderTypeQuery = Annotated[OrderType, Query(description="Any: the leverage is the symbol's.")]
SideQuery = Annotated[Side, Query(description="Any: the leverage is the symbol's.")]
Amount = Annotated[
    Decimal | None,
    WithJsonSchema({"type": "number", "format": "decimal", "exclusiveMinimum": 0}),
    _DECIMAL_ONLY,
    Query(gt=0, allow_inf_nan=False, description="Units to close; absent: all of it."),
]
# Bounds stand before the validator: after it the schema would not tell them.
ExecutionLimit = Annotated[
    int, Field(ge=1, le=MOST_EXECUTIONS), _WHOLE_ONLY, Query(description="How many at most: the newest.")
]
BeforeSeq = Annotated[
    Annotated[int, Field(ge=0, le=2**63 - 1)] | None,
    _WHOLE_ONLY,
    Query(description="Only those with a smaller `seq`: with that of the oldest, the ones before."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="Names the request: sent again with the same key and body it gets the same answer, and is carried "
        "out once. Answers are kept for a day. A 422, or a 400 to an order that was not stored, does not use it up.",
    ),
]

_DESCRIPTIONS: Final = {
    400: "It is refused; `detail` is the reason, `errors` lists all of them.",
    404: "There is none.",
    409: "The Idempotency-Key was used for another request.",
    503: "Nobody carried it out in time, or the datafeed does not tell what must be known of the market. Try again, "
    "with the same Idempotency-Key; `Retry-After` says when.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: which problems a route answers with beside those of every route."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _DESCRIPTIONS[status], "content": content} for status in statuses}
