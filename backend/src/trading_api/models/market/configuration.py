"""What the datafeed can do, on the wire (TradingView's DatafeedConfiguration)."""

from pydantic import BaseModel, ConfigDict, Field


class ExchangeDescriptor(BaseModel):
    """One choice of a search's exchange filter."""

    model_config = ConfigDict(frozen=True)

    value: str = Field(description="What searchSymbols takes as `exchange`; empty for all.", examples=["NASDAQ"])
    name: str = Field(examples=["NASDAQ"])
    desc: str = Field(description="A longer name.", examples=["NASDAQ"])


class SymbolTypeDescriptor(BaseModel):
    """One choice of a search's type filter."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(examples=["Stock"])
    value: str = Field(description="What searchSymbols takes as `symbol_type`; empty for all.", examples=["stock"])


class DatafeedConfiguration(BaseModel):
    """What this datafeed offers at the moment."""

    model_config = ConfigDict(frozen=True)

    supported_resolutions: list[str] = Field(
        description="Every resolution there is, finest first; SymbolInfo says which of them a symbol has.",
        examples=[["1", "60", "1D"]],
    )
    exchanges: list[ExchangeDescriptor] = Field(description="All, then every exchange with a known symbol.")
    symbols_types: list[SymbolTypeDescriptor] = Field(description="All, then every type with a known symbol.")
    supports_search: bool = Field(description="searchSymbols answers.")
    supports_group_request: bool = Field(description="All symbols can be had in one request.")
    supports_marks: bool = Field(description="Marks on bars are served.")
    supports_timescale_marks: bool = Field(description="Marks on the time scale are served.")
    supports_time: bool = Field(description="The server's time is served.")
