"""What can go wrong with one message of a client. Each becomes an error reply; the connection stays (W04)."""

from collections.abc import Sequence
from typing import Literal, get_args

from trading_api.shared.problems import FieldError

ErrorCode = Literal[
    "invalid_json",
    "invalid_frame",
    "unknown_type",
    "invalid_payload",
    "not_subscribed",
    "refused",
    "cannot_resume",
    "too_many_subscriptions",
    "rate_limited",
    "internal_error",
]
ERROR_CODES: tuple[str, ...] = get_args(ErrorCode)


class RequestError(Exception):
    """A message that cannot be served: the code, detail and wrong places of the error reply."""

    def __init__(self, code: ErrorCode, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: ErrorCode = code
        self.detail = detail
        self.errors = tuple(errors)


class TopicRefused(Exception):
    """Raised by `create_topic`: there is no such topic for this request. The client reads the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CannotResume(Exception):
    """Raised by `replay`: what came after `since` is not known any more. The client reads the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
