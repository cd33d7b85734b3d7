"""The numbers of TradingView's Broker API, as they go over the wire."""

from enum import IntEnum

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class WireNumber(IntEnum):
    """A number with a name. The schema carries the names too, for generators of clients (`x-enum-varnames`)."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        reference = handler(core_schema)
        handler.resolve_ref_schema(reference)["x-enum-varnames"] = [member.name for member in cls]
        return reference


class OrderStatus(WireNumber):
    """Where an order stands. Canceled, Filled and Rejected are final."""

    CANCELED = 1
    FILLED = 2
    INACTIVE = 3
    """A bracket that waits for its parent."""
    PLACING = 4
    REJECTED = 5
    WORKING = 6


class OrderType(WireNumber):
    """When an order may fill."""

    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_LIMIT = 4


class Side(WireNumber):
    """Buy or sell; of a position: long or short."""

    BUY = 1
    SELL = -1


class ParentType(WireNumber):
    """What a bracket belongs to."""

    ORDER = 1
    POSITION = 2
    INDIVIDUAL_POSITION = 3


class StopType(WireNumber):
    """The kind of a protecting stop."""

    STOP_LOSS = 0
    TRAILING_STOP = 1
    GUARANTEED_STOP = 2


class ConnectionStatus(WireNumber):
    """The broker's link to the quotes it trades on."""

    CONNECTED = 1
    CONNECTING = 2
    DISCONNECTED = 3
    ERROR = 4
