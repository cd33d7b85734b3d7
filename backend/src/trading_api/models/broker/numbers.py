"""The bounds of what clients may send as a number; far narrower ones follow from the rules of trading."""

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


def _no_bool(value: object) -> object:
    """Python takes `true` for 1."""
    if isinstance(value, bool):
        raise ValueError("a number is expected")
    return value


_NO_BOOL: Final = BeforeValidator(_no_bool)
Milliseconds = Annotated[int, Field(ge=-MOST, le=MOST), _NO_BOOL]
"""A time, UTC."""
OrderTypeNumber = Annotated[OrderType, _NO_BOOL]
SideNumber = Annotated[Side, _NO_BOOL]
StopTypeNumber = Annotated[StopType, _NO_BOOL]
OrderStatusNumber = Annotated[OrderStatus, _NO_BOOL]
ParentTypeNumber = Annotated[ParentType, _NO_BOOL]
