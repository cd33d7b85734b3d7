"""A request's query as a whole: which parameters nobody reads, and which are given twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from fastapi.datastructures import QueryParams

from trading_api.modules.broker.api.unprocessable import GIVEN_TWICE, unprocessable
from trading_api.shared.problems import MAX_FIELD_ERRORS, FieldError
from trading_api.variables import hint


def check_query(query: QueryParams, known: tuple[str, ...], *, ignores_unknown: bool) -> None:
    """Raises ProblemError (422) with the wrong places. `known`: the parameters that the route reads."""
    names = Counter(name for name, _ in query.multi_items())
    errors = [*islice(_errors(names.items(), known, ignores_unknown=ignores_unknown), MAX_FIELD_ERRORS)]
    if errors:
        raise unprocessable(errors)


def _errors(names: Iterable[tuple[str, int]], known: tuple[str, ...], *, ignores_unknown: bool) -> Iterator[FieldError]:
    for name, times in names:
        if name not in known:
            if not ignores_unknown:
                yield FieldError(location=f"query.{name}", message=_no_such_parameter(name, known))
        elif times > 1:
            # The framework takes the last one.
            yield FieldError(location=f"query.{name}", message=GIVEN_TWICE)


def _no_such_parameter(name: str, known: tuple[str, ...]) -> str:
    return f"there is no such parameter ({hint(name, known) if known else 'this route has none'})"
