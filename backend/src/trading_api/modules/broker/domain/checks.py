"""Are the terms of an order ones that can be traded: every reason at once, for placing, modifying and preview alike."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

from trading_api.models.broker import OrderType, Side
from trading_api.modules.broker.domain.bracket_checks import Reference, bracket_problems, position_reference
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.number_checks import is_sound, number_problem, shown, steps, ticks
from trading_api.modules.broker.domain.order import Brackets
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.quote import Quote

_NAMES = {
    OrderType.LIMIT: "limit order",
    OrderType.MARKET: "market order",
    OrderType.STOP: "stop order",
    OrderType.STOP_LIMIT: "stop limit order",
}
_WITH_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_WITH_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class OrderTerms(Protocol):
    """What an order asks for: a request to place one, or an order with changes that are not yet made."""

    @property
    def type(self) -> OrderType: ...
    @property
    def side(self) -> Side: ...
    @property
    def qty(self) -> Decimal: ...
    @property
    def limit_price(self) -> Decimal | None: ...
    @property
    def stop_price(self) -> Decimal | None: ...
    @property
    def brackets(self) -> Brackets: ...


def order_problems(
    instrument: TradedInstrument,
    terms: OrderTerms,
    quote: Quote | None,
    *,
    triggered: bool = False,
    whole: Decimal | None = None,
) -> tuple[Problem, ...]:
    """Every reason for which the terms cannot be traded, whoever asks; empty when they can.

    `quote` is the last one known; without it nothing is said about sides. `triggered`: the order is a stop limit whose
    stop was hit, so that the market may be on either side of it. `whole`: the quantity of the position that it closes,
    which may be off the step, as that can change.
    """
    return (
        *(() if terms.qty == whole else quantity_problems(Field.QTY, terms.qty, instrument)),
        *_price_problems(instrument, terms),
        *(() if triggered else _stop_side_problems(instrument, terms, quote)),
        *bracket_problems(instrument, terms.side, terms.brackets, entry_reference(terms, quote)),
    )


def quantity_problems(field: Field, qty: Decimal, instrument: TradedInstrument) -> tuple[Problem, ...]:
    """What is wrong with a quantity by itself: of an order, or the amount of a position to close."""
    problem = number_problem(field, qty, steps(instrument))
    return (problem,) if problem else ()


def duration_problems(duration: Duration, now_ms: int) -> tuple[Problem, ...]:
    """What is wrong with the moment at which an order is to end. `now_ms`: the feed's clock."""
    kind, until = duration.kind, duration.until_ms
    if kind is not DurationKind.GTD:
        if until is None:
            return ()
        text = f"duration.datetime {until} does not belong to {kind.value}; leave it out, or use GTD"
    elif until is None:
        text = "duration.datetime is missing; GTD needs the moment at which the order ends, ms UTC"
    elif until <= now_ms:
        text = f"duration.datetime {until} is past; use a moment after {now_ms} (ms UTC)"
    else:
        return ()
    return (Problem(Field.DURATION_UNTIL, text),)


def entry_reference(terms: OrderTerms, quote: Quote | None) -> Reference | None:
    """The price at which the order would enter, on whose sides its brackets belong; None where no price is known.

    One that fills now enters at the opposing quote, a limit that rests at its limit, a stop at its stop.
    """
    market = quote.opposing(terms.side) if quote is not None else None
    if quote is not None and market is not None and _fills_now(terms, market):
        return _market_reference(terms.side, market, quote)
    if terms.type is OrderType.MARKET:
        return None
    name, price = ("stopPrice", terms.stop_price) if terms.type is OrderType.STOP else ("limitPrice", terms.limit_price)
    if price is None or not is_sound(price):
        return None
    return Reference(price, f"the {name} of the {_word(terms.side)}")


def _market_reference(side: Side, market: Decimal, quote: Quote) -> Reference:
    closing = position_reference(side, quote)
    return Reference(market, f"the {opposing_name(side)}, at which the {_word(side)} fills", closing)


def _fills_now(terms: OrderTerms, market: Decimal) -> bool:
    """Whether the opposing price would fill the order (as `matching.fill_price` says of one that has its prices)."""
    side, stop, limit = terms.side, terms.stop_price, terms.limit_price
    hit = stop is not None and is_sound(stop) and _is_marketable(side, market, stop)
    marketable = limit is not None and is_sound(limit) and _is_marketable(side, limit, market)
    return (hit or terms.type not in _WITH_STOP) and (marketable or terms.type not in _WITH_LIMIT)


def _is_marketable(side: Side, limit: Decimal, market: Decimal) -> bool:
    return limit >= market if side is Side.BUY else limit <= market


def _word(side: Side) -> str:
    return "buy" if side is Side.BUY else "sell"


def opposing_name(side: Side) -> str:
    """What the price is called at which an order of that side trades."""
    return "ask" if side is Side.BUY else "bid"


def _price_problems(instrument: TradedInstrument, terms: OrderTerms) -> Iterator[Problem]:
    """Each price is there where the type has one (FIX Price, 44, and StopPx, 99), on the tick, and nowhere else."""
    name = _NAMES[terms.type]
    for field, price, wanted in (
        (Field.LIMIT_PRICE, terms.limit_price, terms.type in _WITH_LIMIT),
        (Field.STOP_PRICE, terms.stop_price, terms.type in _WITH_STOP),
    ):
        if price is None:
            if wanted:
                yield Problem(field, f"{field.shown} is missing; a {name} needs one")
        elif not wanted:
            yield Problem(field, f"{field.shown} {shown(price)} does not belong to a {name}; leave it out")
        elif problem := number_problem(field, price, ticks(instrument)):
            yield problem


def _stop_side_problems(instrument: TradedInstrument, terms: OrderTerms, quote: Quote | None) -> Iterator[Problem]:
    """A stop waits for a worse price: a buy's at or above the ask, a sell's at or below the bid."""
    stop, market = terms.stop_price, quote.opposing(terms.side) if quote is not None else None
    if terms.type not in _WITH_STOP or market is None or stop is None or not is_sound(stop):
        return
    grid, place = ticks(instrument), opposing_name(terms.side)
    if terms.side is Side.BUY and stop < market:
        right = f"a buy stop waits for a rise: use {shown(grid.at_least(market))} or above"
        yield Problem(Field.STOP_PRICE, f"stopPrice {shown(stop)} is below {shown(market)}, the {place}; {right}")
    if terms.side is Side.SELL and stop > market:
        nearest = grid.at_most(market)
        use = f"use {shown(nearest)} or below" if nearest > 0 else "there is no price at or below that"
        right = f"a sell stop waits for a fall: {use}"
        yield Problem(Field.STOP_PRICE, f"stopPrice {shown(stop)} is above {shown(market)}, the {place}; {right}")
