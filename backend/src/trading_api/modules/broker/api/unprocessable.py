"""A request that was read, and that nobody can be sure of: 422, as validation tells it."""

from __future__ import annotations

from collections.abc import Sequence

from trading_api.shared.problems import FieldError, ProblemError

GIVEN_TWICE = "is given twice, so it is not clear which one counts; send it once"
_TOLD = 3


def unprocessable(errors: Sequence[FieldError]) -> ProblemError:
    """The problem of these wrong places; its detail tells the first of them."""
    detail = "; ".join(f"{error.location}: {error.message}" for error in errors[:_TOLD])
    return ProblemError(422, detail, errors=errors)
