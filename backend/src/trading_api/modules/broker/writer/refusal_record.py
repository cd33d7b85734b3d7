"""A refusal as it is written down: in the form of before problems had fields, and the fields beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.outcome import Refusal
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.journal.record import RecordError

_WHOLE = ""


@dataclass(frozen=True, slots=True)
class RefusalRecord:
    """What older processes wrote has no `fields`; they read what has none."""

    kind: Literal["invalid", "not_found"]
    reason: str
    reasons: tuple[str, ...]
    order_id: str | None = None
    fields: tuple[str, ...] | None = None
    """Of each reason its field, "" for one about the whole; None where all are, or nobody said."""


def record_of(refusal: Refusal) -> RefusalRecord:
    """The record of a refusal."""
    fields = tuple(_WHOLE if problem.field is None else problem.field.value for problem in refusal.problems)
    return RefusalRecord(
        refusal.kind, refusal.reason, refusal.reasons, refusal.order_id, fields if any(fields) else None
    )


def refusal_of(record: RefusalRecord) -> Refusal:
    """The refusal of a record. Raises RecordError if there is not one field for each reason."""
    fields = record.fields
    if fields is None:
        fields = (_WHOLE,) * len(record.reasons)
    if len(fields) != len(record.reasons):
        raise RecordError(f"holds {len(fields)} fields of {len(record.reasons)} reasons")
    problems = tuple(Problem(_field(name), text) for name, text in zip(fields, record.reasons, strict=True))
    return Refusal(record.kind, problems, record.order_id)


def _field(name: str) -> Field | None:
    """None for one that only a newer process knows: where it stands could not be told."""
    return _FIELDS.get(name)


_FIELDS = {field.value: field for field in Field}
