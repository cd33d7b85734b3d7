"""The bounds of what clients may send as a number; far narrower ones follow from the rules of trading."""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from trading_api.models.broker.enumerations import OrderStatus, OrderType, ParentType, Side, StopType
from trading_api.models.common import DecimalNumber

MOST: Final = 10**15
_NUMBER: Final = {"type": "number", "format": "decimal"}

# The schemas are given, for pydantic does not tell the bounds of a number that may be null.
AnyNumber = Annotated[
    DecimalNumber, Field(ge=-MOST, le=MOST), WithJsonSchema({**_NUMBER, "minimum": -MOST, "maximum": MOST})
]
"""A price, or a distance in pips. What is not above zero is refused by the rules, which say why."""
PositiveNumber = Annotated[
    DecimalNumber, Field(gt=0, le=MOST), WithJsonSchema({**_NUMBER, "exclusiveMinimum": 0, "maximum": MOST})
]


def _only_number(value: object) -> object:
    """Pydantic takes `true` and `"1"` for 1. The schema says integer."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    return value


_NUMBER_ONLY: Final = BeforeValidator(_only_number)
Milliseconds = Annotated[int, Field(ge=-MOST, le=MOST), _NUMBER_ONLY]
"""A time, UTC."""
OrderTypeNumber = Annotated[OrderType, _NUMBER_ONLY]
SideNumber = Annotated[Side, _NUMBER_ONLY]
StopTypeNumber = Annotated[StopType, _NUMBER_ONLY]
OrderStatusNumber = Annotated[OrderStatus, _NUMBER_ONLY]
ParentTypeNumber = Annotated[ParentType, _NUMBER_ONLY]
