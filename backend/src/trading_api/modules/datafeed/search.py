"""Ranking of symbols against what a user typed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trading_api.modules.datafeed.instrument import Instrument, SymbolRef

_EXACT, _PREFIX, _WORD, _SUBSTRING = range(4)
_WORD_BREAK = re.compile(r"[^0-9A-Z]+")


def search(
    instruments: Iterable[Instrument], text: str, *, exchange: str = "", symbol_type: str = "", limit: int
) -> list[Instrument]:
    """The best `limit` matches: exact name, name prefix, word prefix of the description, substring; then by name.

    `EXCHANGE:NAME` searches one exchange; an empty text matches everything; filters compare whole words, in any case.
    """
    ref = SymbolRef.parse(text)
    exchanges = {wanted for wanted in (exchange.upper(), ref.exchange) if wanted}
    ranked = [
        (rank, instrument.name, instrument)
        for instrument in instruments
        if exchanges <= {instrument.exchange.upper()}
        and symbol_type.lower() in {"", instrument.type.lower()}
        and (rank := _rank(instrument, ref.name)) is not None
    ]
    return [instrument for _, _, instrument in sorted(ranked, key=lambda entry: entry[:2])[:limit]]


def _rank(instrument: Instrument, text: str) -> int | None:
    """`text` is in capitals."""
    if instrument.name == text:
        return _EXACT
    if instrument.name.startswith(text):
        return _PREFIX
    description = instrument.description.upper()
    if any(word.startswith(text) for word in _WORD_BREAK.split(description)) or description.startswith(text):
        return _WORD
    return _SUBSTRING if text in instrument.name or text in description else None
