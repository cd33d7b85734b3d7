"""Symbols on the wire: what a search finds, and what resolving one tells."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SymbolType = Literal["stock", "fund", "index", "forex", "crypto", "futures", "bond", "cfd", "economic"]


class SearchResult(BaseModel):
    """One symbol that a search found."""

    model_config = ConfigDict(frozen=True)

    symbol: str = Field(description="Short name, as users read it.", examples=["AAPL"])
    description: str = Field(examples=["Apple Inc."])
    exchange: str = Field(description="Where it is traded; empty if unknown.", examples=["NASDAQ"])
    ticker: str = Field(description="What every other request takes as `symbol`.", examples=["AAPL"])
    type: SymbolType


class SymbolInfo(BaseModel):
    """A symbol and its conventions (TradingView's LibrarySymbolInfo)."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Unique name, in capitals.", examples=["AAPL"])
    ticker: str = Field(description="The same; what every other request takes as `symbol`.", examples=["AAPL"])
    description: str = Field(examples=["Apple Inc."])
    type: SymbolType
    session: str = Field(description="Trading hours in `timezone`: 24x7 or HHMM-HHMM.", examples=["0930-1600"])
    timezone: str = Field(description="tz database name of the exchange's time zone.", examples=["America/New_York"])
    exchange: str = Field(description="Where it is traded; empty if unknown.", examples=["NASDAQ"])
    listed_exchange: str = Field(description="Where it is listed; the same.", examples=["NASDAQ"])
    format: Literal["price"] = Field(default="price", description="Values are prices.")
    pricescale: int = Field(description="The price step is minmov / pricescale.", examples=[100])
    minmov: int = Field(description="The price step is minmov / pricescale.", examples=[1])
    has_intraday: bool = Field(description="There are bars of minutes or hours.")
    has_daily: bool = Field(description="There are day bars.")
    has_weekly_and_monthly: bool = Field(
        description="There are week or month bars; `supported_resolutions` says which."
    )
    supported_resolutions: list[str] = Field(
        description="The resolutions that getBars can serve now, finest first; empty when there are no bars.",
        examples=[["60", "1D"]],
    )
    volume_precision: int = Field(description="Decimals of a quantity.", examples=[4])
    data_status: Literal["streaming", "endofday"] = Field(
        description="streaming: live bars continue the history; endofday: only stored bars. Quotes always stream."
    )
