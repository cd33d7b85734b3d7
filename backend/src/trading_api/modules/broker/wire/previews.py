"""Previews for people: the figures of the domain as TradingView's dialogs show them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal

from trading_api.models import broker as wire
from trading_api.modules.broker.domain.amounts import money, text
from trading_api.modules.broker.domain.outcome import LeveragePreview, Preview


def order_preview(preview: Preview) -> wire.OrderPreview:
    """TradingView's OrderPreviewResult. Figures that cannot be known are left out."""
    sections = (("Order", _order_rows(preview)), ("Margin", _margin_rows(preview)))
    filled = [(header, list(rows)) for header, rows in sections]
    return wire.OrderPreview(
        sections=[wire.PreviewSection(header=header, rows=rows) for header, rows in filled if rows],
        confirmId=uuid.uuid4().hex,
        warnings=list(preview.warnings),
        errors=list(preview.errors),
    )


def leverage_preview(preview: LeveragePreview) -> wire.LeveragePreview:
    """TradingView's LeveragePreviewResult."""
    return wire.LeveragePreview(infos=list(preview.infos), warnings=list(preview.warnings), errors=list(preview.errors))


def _order_rows(preview: Preview) -> Iterator[wire.PreviewRow]:
    yield _row("Symbol", preview.symbol)
    yield _row("Quantity", text(preview.qty))
    if preview.price is not None:
        yield _row("Price", text(preview.price))
    yield from _amount("Cost", preview.cost, preview.currency)
    yield from _amount("Fees", preview.fees, preview.currency)


def _margin_rows(preview: Preview) -> Iterator[wire.PreviewRow]:
    if preview.leverage is not None:
        yield _row("Leverage", f"{text(preview.leverage)}:1")
    yield from _amount("Margin", preview.margin, preview.currency)
    yield from _amount("Free margin", preview.free_margin, preview.currency)
    yield from _amount("Free margin after", preview.free_margin_after, preview.currency)


def _amount(title: str, amount: Decimal | None, currency: str) -> Iterator[wire.PreviewRow]:
    if amount is not None:
        yield _row(title, f"{money(amount)} {currency}")


def _row(title: str, value: str) -> wire.PreviewRow:
    return wire.PreviewRow(title=title, value=value)
