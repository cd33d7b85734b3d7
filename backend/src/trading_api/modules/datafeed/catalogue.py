"""The shipped list of symbols (`catalogue.yaml`), checked as it is loaded."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, get_args
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from trading_api.models.market import SymbolType
from trading_api.modules.datafeed.instrument import EXCHANGE_PATTERN, NAME_PATTERN, Instrument
from trading_api.modules.datafeed.session import parse_session

SYMBOL_TYPES: tuple[str, ...] = get_args(SymbolType)


class CatalogueError(ValueError):
    """The catalogue cannot be used; the message names file, symbol and field of every problem."""


def _known_session(text: str) -> str:
    parse_session(text)
    return text


def check_timezone(text: str) -> str:
    """Raises ValueError unless `text` names a zone of the tz database."""
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {text!r}: use a tz database name, such as America/New_York") from error
    except KeyError:
        raise ValueError(f"unknown time zone {text!r}: use a tz database name, such as America/New_York") from None


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    description: str = Field(min_length=1, max_length=200)
    exchange: str = Field(pattern=f"^{EXCHANGE_PATTERN.pattern}$")
    type: SymbolType
    session: Annotated[str, AfterValidator(_known_session)]
    timezone: Annotated[str, AfterValidator(check_timezone)]
    pricescale: int = Field(ge=1, le=10**18)
    minmov: int = Field(ge=1, le=10**18)
    volume_precision: int = Field(ge=0, le=18)


_Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN.pattern}$")]
_ENTRIES = TypeAdapter(dict[_Name, _Entry])


def load_catalogue() -> tuple[Instrument, ...]:
    """The shipped instruments. Raises CatalogueError when the file has been broken."""
    source = resources.files("trading_api.modules.datafeed").joinpath("catalogue.yaml")
    return parse_catalogue(source.read_text(encoding="utf-8"), name="catalogue.yaml")


def parse_catalogue(text: str, *, name: str) -> tuple[Instrument, ...]:
    """Read a catalogue, in its own order; `name` stands in the errors. Raises CatalogueError with all problems."""
    try:
        entries = _ENTRIES.validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise CatalogueError(f"{name}: not valid YAML: {error}") from error
    except ValidationError as error:
        found = [f"{name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
        raise CatalogueError("\n".join(found)) from error
    return tuple(Instrument(name=symbol, **entry.model_dump()) for symbol, entry in entries.items())
