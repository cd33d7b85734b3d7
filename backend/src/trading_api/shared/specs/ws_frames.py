"""The parts of WebSocket frames that are the same for every route, as the AsyncAPI documents tell of them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from trading_api.shared.problems import FieldError, never_null
from trading_api.shared.ws.errors import ErrorCode


class WsReply(BaseModel):
    """What a request to subscribe or unsubscribe brought about."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = Field(description="Always ok; a refusal is an error frame.")
    message: str = Field(description="The same in words.", examples=["Subscribed"])
    topic: str = Field(description="The name that updates of this subscription carry.")


class WsError(BaseModel):
    """Why a frame was not answered with what it asked for."""

    model_config = ConfigDict(frozen=True)

    code: ErrorCode = Field(description="The reason, for programs.", examples=["invalid_payload"])
    detail: str = Field(description="The reason, for people.", examples=["payload: Input should be an object"])
    request_type: str | SkipJsonSchema[None] = Field(
        default=None,
        description="`type` of the refused frame, where it could be read.",
        json_schema_extra=never_null,
    )
    errors: list[FieldError] | SkipJsonSchema[None] = Field(
        default=None, description="The wrong places, where there are some.", json_schema_extra=never_null
    )


RequestId = Annotated[str, Field(max_length=128)] | int
"""What a client may send as `id`; the reply to that very frame carries it too."""
