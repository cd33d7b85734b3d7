"""Each reason to refuse says which field it is about, unless somebody decided that it is about the whole (D03)."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest

from trading_api.modules.broker import domain
from trading_api.modules.broker.domain.duration import parse_duration
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.outcome import invalid_for, not_found
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.requests import Request
from trading_api.modules.broker.domain.unreadable import Unreadable

BROKER = Path(domain.__file__).parent.parent
OF_THE_WHOLE = Counter(
    {
        "domain/assessment.py": 1,  # brackets on what closes: several fields
        "domain/assessment.py _market_objections": 1,  # no quote, closed: the market's, not the request's
        "domain/assessment.py _close_objections": 1,  # no position: side, symbol and isClose together
        "domain/assessment.py _margin_objections": 1,  # the account's
        "domain/leverage.py _margin_problems": 1,  # the account's
        "domain/modifying.py _modify_entry": 1,  # the account's
        "domain/modifying_brackets.py _misplaced": 1,  # brackets of a bracket: several fields
        "domain/placing.py unknown_market": 1,  # the market's
    }
)
"""Where problems without a field are made, and how many. Who adds one says here why no field is to blame."""
PASSED_ON = {
    "domain/bracket_checks.py _side_problems",
    "domain/bracket_checks.py _stop_kind_problems",
    "domain/checks.py _price_problems",
    "domain/finding.py live_order",
    "domain/modifying_brackets.py _by_own_name",
    "domain/number_checks.py number_problem",
    "writer/refusal_record.py refusal_of",
}
"""Where the field is the caller's, the record's, or one of several."""


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of that name in the broker, with its file and function."""
    for file in sorted(BROKER.rglob("*.py")):
        place = file.relative_to(BROKER).as_posix()
        for node in ast.parse(file.read_text()).body:
            where = f"{place} {node.name}" if isinstance(node, ast.FunctionDef) else place
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == name:
                    yield where, inner


def is_field(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Field"


def test_D03_every_reason_has_a_field_or_is_one_of_the_few_about_the_whole() -> None:
    made = [(where, made.args[0]) for where, made in calls("Problem")]
    whole = Counter(where for where, about in made if isinstance(about, ast.Constant))
    assert whole == OF_THE_WHOLE
    other = {where for where, about in made if not isinstance(about, ast.Constant) and not is_field(about)}
    assert other == PASSED_ON
    assert sum(is_field(about) for _, about in made) > 20, "else it looks at the wrong place"


def paths(kind: object, above: str = "") -> Iterator[str]:
    """The fields of a request, and those within them after a dot."""
    if get_origin(kind) in (UnionType, tuple):
        for each in get_args(kind):
            yield from paths(each, above)
    elif isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        for field in fields(kind):
            yield f"{above}{field.name}"
            yield from paths(hints[field.name], f"{above}{field.name}.")


def test_D03_fields_bear_the_names_of_the_domains_requests() -> None:
    known = {path for each in get_args(Request) for path in paths(each)}
    assert {field.value for field in Field} - known == {"id"}, "which is told to the route alone"


@pytest.mark.parametrize("field", Field)
def test_D03_no_field_is_there_for_nothing(field: Field) -> None:
    sources = (file.read_text() for file in BROKER.rglob("*.py") if file.name not in ("field.py", "locations.py"))
    assert any(f"Field.{field.name}" in source for source in sources)


def test_D03_a_refusal_tells_its_reasons_in_words_too() -> None:
    first, second = Problem(Field.QTY, "qty 0 is not above 0"), Problem(None, "Not enough margin.")
    refusal = invalid_for(first, second, order_id="7")
    assert (refusal.kind, refusal.problems, refusal.order_id) == ("invalid", (first, second), "7")
    assert refusal.reasons == ("qty 0 is not above 0", "Not enough margin.")
    assert refusal.reason == "qty 0 is not above 0 Not enough margin."
    assert not_found(first).kind == "not_found"


def test_D03_a_duration_that_there_is_none_of_says_which_field() -> None:
    with pytest.raises(Unreadable, match="'WEEK' is not known") as raised:
        parse_duration("WEEK")
    assert raised.value.problem == Problem(Field.DURATION_KIND, str(raised.value))
