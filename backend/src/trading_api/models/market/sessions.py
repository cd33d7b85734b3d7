"""Trading sessions on the wire: when a symbol trades."""

from pydantic import BaseModel, ConfigDict, Field


class TradingSession(BaseModel):
    """The session of a symbol that is on, or else its next one. Holidays, half days and clock changes are in it."""

    model_config = ConfigDict(frozen=True)

    symbol: str = Field(description="The symbol's name, in capitals.", examples=["AAPL"])
    isOpen: bool = Field(description="Whether it trades at `time`.")  # noqa: N815 - spelt like the broker's fields
    start: int = Field(description="When the session begins, or began, ms UTC.", examples=[1704205800000])
    end: int = Field(
        description="When it ends, ms UTC: from then on there is no trading. A symbol that always trades has sessions "
        "of a day, one right after the other.",
        examples=[1704229200000],
    )
    time: int = Field(description="The feed's clock, ms UTC; a replay's is not today's.", examples=[1704210000000])
    catalogue: str = Field(
        default="",
        description="Names the instruments as they are now: after a change of any of them it is another one, so that "
        "whoever keeps their facts knows when to read them again. Empty where that is not known.",
        examples=["9f1c2c0e4d7b4c0a"],
    )
