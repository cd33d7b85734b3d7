"""Are brackets ones that protect (TradingView's Brackets): one kind of stop, prices on the right side of the entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side, StopType
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.number_checks import PIPS, is_sound, number_problem, shown, ticks
from trading_api.modules.broker.domain.order import Brackets
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.quote import Quote

_FIELD_OF = {
    StopType.STOP_LOSS: Field.STOP_LOSS,
    StopType.TRAILING_STOP: Field.TRAILING_STOP_PIPS,
    StopType.GUARANTEED_STOP: Field.GUARANTEED_STOP,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """The price on whose two sides the brackets belong. `name` says in words what it is: "the ask"."""

    price: Decimal
    name: str
    closing: "Reference | None" = None
    """Where an entry that fills now would close now: a stop belongs beyond that too, or it would fill at once."""


def position_reference(side: Side, quote: Quote) -> Reference | None:
    """That of an open position: the price at which it would close now, if there is one. A bracket beyond it would fill
    at once."""
    price = quote.closing(side)
    if price is None:
        return None
    name = "the bid, at which the long position closes" if side is Side.BUY else "the ask, at which the short closes"
    return Reference(price, name)


def bracket_problems(
    instrument: TradedInstrument, side: Side, brackets: Brackets, reference: Reference | None
) -> tuple[Problem, ...]:
    """Every reason to refuse the brackets of an entry or position of this side.

    Without a reference (no quote yet) their sides are not checked.
    """
    return (
        *_stop_kind_problems(brackets),
        *_price_problems(instrument, side, brackets, reference),
        *_trailing_problems(instrument, side, brackets.trailing_stop_pips, reference),
    )


def _stop_kind_problems(brackets: Brackets) -> Iterator[Problem]:
    stops = {
        Field.STOP_LOSS: brackets.stop_loss,
        Field.TRAILING_STOP_PIPS: brackets.trailing_stop_pips,
        Field.GUARANTEED_STOP: brackets.guaranteed_stop,
    }
    given = [field for field, value in stops.items() if value is not None]
    names = [field.shown for field in given]
    if len(given) > 1:
        told = f"{' and '.join(names)} both" if len(given) == 2 else f"{', '.join(names)} all"
        yield Problem(given[0], f"{told} protect the same position; give only one of them")
    kind = brackets.stop_type
    # 0, the stop loss, is what front ends send when there is no stop at all.
    if kind is None or _FIELD_OF[kind] in given or (kind is StopType.STOP_LOSS and not given):
        return
    instead = f", not {' and '.join(names)}" if given else ""
    yield Problem(Field.STOP_TYPE, f"stopType {kind.value} ({kind.name}) needs {_FIELD_OF[kind].shown}{instead}")


def _price_problems(
    instrument: TradedInstrument, side: Side, brackets: Brackets, reference: Reference | None
) -> Iterator[Problem]:
    """A take profit is beyond the entry in the position's favour, a stop on the other side; neither is at it."""
    gains_above = side is Side.BUY
    for field, price, belongs_above in (
        (Field.TAKE_PROFIT, brackets.take_profit, gains_above),
        (Field.STOP_LOSS, brackets.stop_loss, not gains_above),
        (Field.GUARANTEED_STOP, brackets.guaranteed_stop, not gains_above),
    ):
        if price is None:
            continue
        if problem := number_problem(field, price, ticks(instrument)):
            yield problem
        if reference is not None and is_sound(price):
            nearest = reference if field is Field.TAKE_PROFIT else reference.closing or reference
            yield from _side_problems(instrument, field, price, nearest, belongs_above=belongs_above)


def _side_problems(
    instrument: TradedInstrument, field: Field, price: Decimal, reference: Reference, *, belongs_above: bool
) -> Iterator[Problem]:
    right = price > reference.price if belongs_above else price < reference.price
    if right:
        return
    grid, word = ticks(instrument), "above" if belongs_above else "below"
    nearest = grid.above(reference.price) if belongs_above else grid.below(reference.price)
    text = f"{field.shown} {shown(price)} is not {word} {shown(reference.price)}, {reference.name}"
    advice = f"use {shown(nearest)} or {word}" if nearest > 0 else "there is no price below that"
    yield Problem(field, f"{text}; {advice}")


def _trailing_problems(
    instrument: TradedInstrument, side: Side, pips: Decimal | None, reference: Reference | None
) -> Iterator[Problem]:
    if pips is None:
        return
    if problem := number_problem(Field.TRAILING_STOP_PIPS, pips, PIPS):
        yield problem
    elif side is Side.BUY and reference is not None and pips * instrument.pip >= reference.price:
        text = f"trailingStopPips {shown(pips)} is {shown(pips * instrument.pip)} in price, not below "
        too_far = f"{shown(reference.price)}, {reference.name}: its stop would be at 0 or less"
        yield Problem(Field.TRAILING_STOP_PIPS, f"{text}{too_far}")
