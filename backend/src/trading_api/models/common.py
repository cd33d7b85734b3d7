"""What every module says over the wire, whatever it is about."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

# Python keyword of a bound → JSON Schema's.
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
# No price or quantity comes near it, and every double below it is finite.
_LIMIT = 10**300


class _JsonNumber:
    """Makes a Decimal a JSON number on the wire. Pydantic alone would write a string, and take one."""

    def __get_pydantic_core_schema__(self, source: type[Decimal], handler: GetCoreSchemaHandler) -> CoreSchema:
        number = cast("core_schema.DecimalSchema", handler(source))
        number["allow_inf_nan"] = False
        number["serialization"] = core_schema.plain_serializer_function_ser_schema(
            float, return_schema=core_schema.float_schema(), when_used="json"
        )
        return core_schema.no_info_before_validator_function(_only_number, number)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        number: dict[str, Any] = dict(schema)["schema"]
        bounds = {name: float(number[key]) for key, name in _BOUNDS.items() if key in number}
        return {"type": "number", "format": "decimal", **bounds}


def _only_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    if isinstance(value, int) and abs(value) >= _LIMIT:
        raise ValueError("the number is out of range")
    if isinstance(value, Decimal) and value.is_finite() and value.copy_abs() >= _LIMIT:
        raise ValueError("the number is out of range")
    return value


DecimalNumber = Annotated[Decimal, _JsonNumber()]
"""A Decimal inside, a JSON number outside; 15 significant digits survive the trip through a client's double.

NaN, infinities, strings and booleans are refused. Bounds go into the field: `qty: DecimalNumber = Field(gt=0)`.
"""


class HealthResponse(BaseModel):
    """The answer of `/health`."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "degraded"] = Field(description="ok, or degraded: it answers, but something is missing.")
    message: str = Field(description="The same in words.", examples=["The module is up."])
    timestamp: datetime = Field(description="The server's time, UTC.")
    module_name: str = Field(examples=["broker"])
    api_version: str = Field(examples=["v1"])


class VersionResponse(BaseModel):
    """The answer of `/version`: the version of the API that was asked."""

    model_config = ConfigDict(frozen=True)

    module_name: str = Field(examples=["broker"])
    api_version: str = Field(examples=["v1"])


class VersionsResponse(BaseModel):
    """The answer of `/versions`: what this deployment serves of the module."""

    model_config = ConfigDict(frozen=True)

    module_name: str = Field(examples=["broker"])
    api_versions: list[str] = Field(description="Oldest first.", examples=[["v1", "v2"]])
