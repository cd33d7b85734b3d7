"""Previews for people: the figures of the domain as TradingView's dialogs show them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal

from trading_api.models import broker as wire
from trading_api.modules.broker.domain.amounts import money, money_free, money_needed, text
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
    # Rounded as in the refusal for want of margin, which stands beside them.
    yield from _amount("Margin", preview.margin, preview.currency, money_needed)
    yield from _amount("Free margin", preview.free_margin, preview.currency, money_free)
    yield from _amount("Free margin after", preview.free_margin_after, preview.currency, money_free)


def _amount(
    title: str, amount: Decimal | None, currency: str, shown: Callable[[Decimal], str] = money
) -> Iterator[wire.PreviewRow]:
    if amount is not None:
        yield _row(title, f"{shown(amount)} {currency}")


def _row(title: str, value: str) -> wire.PreviewRow:
    return wire.PreviewRow(title=title, value=value)
