"""The answer to a change of something that exists."""

from pydantic import BaseModel, ConfigDict, Field


class OperationResult(BaseModel):
    """Whether the change was made."""

    model_config = ConfigDict(frozen=True)

    success: bool
    message: str = Field(examples=["The order was canceled."])
