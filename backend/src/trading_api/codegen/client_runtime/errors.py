"""What a client raises. All of it is a `ClientError`."""

from collections.abc import Mapping

from pydantic import Field, ValidationError

from .json_text import from_json
from .model import ApiModel

REQUEST_ID = "x-request-id"


class FieldProblem(ApiModel):
    """One wrong place in a request."""

    location: str
    message: str


class Problem(ApiModel):
    """What a server says instead of an answer (RFC 9457). Nothing is required, for a proxy may have written it."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    instance: str = ""
    request_id: str | None = None
    errors: list[FieldProblem] | None = Field(default=None)


class ClientError(Exception):
    """The base of every error here."""


class TransportError(ClientError):
    """There was no answer: the address is wrong, the connection broke or the time ran out. `__cause__` says which."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where


class DecodeError(ClientError):
    """An answer or update does not have the form that the contract gives it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where


class ApiError(ClientError):
    """The server refused or failed. `status` is HTTP's, `problem` what it said, `content` that as it was sent."""

    def __init__(self, where: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status = status
        self.problem = read_problem(content)
        self.content = content
        self.headers = headers
        self.request_id = headers.get(REQUEST_ID) or (self.problem.request_id if self.problem else None)
        detail = self.problem.detail or self.problem.title if self.problem else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        super().__init__(f"{where}: {status} {detail}".rstrip() + request)


class BadRequest(ApiError):
    """400: the request makes no sense, or a rule forbids it."""


class Unauthorized(ApiError):
    """401."""


class Forbidden(ApiError):
    """403."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409: it contradicts the present state, or an idempotency key was used for another request."""


class InvalidRequest(ApiError):
    """422: not of the declared shape; `problem.errors` names the places."""


class TooManyRequests(ApiError):
    """429."""


class ServerError(ApiError):
    """5xx."""


class SubscriptionError(ClientError):
    """The server refused a subscription. `code` is one of the contract's, such as `refused` or `invalid_payload`."""

    RETRYABLE = frozenset({"rate_limited", "internal_error"})

    def __init__(self, where: str, code: str, detail: str) -> None:
        super().__init__(f"{where}: {code}: {detail}")
        self.code = code
        self.detail = detail

    @property
    def retryable(self) -> bool:
        """Whether the same subscription may succeed later."""
        return self.code in self.RETRYABLE


class SlowConsumer(ClientError):
    """Updates came faster than they were read, on a route that must not miss one. Subscribe again to go on."""


class StreamRefused(ClientError):
    """The server ended the stream for a reason that trying again would not change. `code`: HTTP's or WebSocket's."""

    def __init__(self, where: str, code: int, reason: str) -> None:
        super().__init__(f"{where}: refused with {code} {reason}".rstrip())
        self.code = code


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: InvalidRequest,
    429: TooManyRequests,
}


def api_error(where: str, status: int, headers: Mapping[str, str], content: bytes) -> ApiError:
    """The error of an answer: of the class of its status, where there is one."""
    kind = _BY_STATUS.get(status) or (ServerError if status >= 500 else ApiError)
    return kind(where, status, headers, content)


def read_problem(content: bytes) -> Problem | None:
    """The problem that `content` holds; None when it is something else."""
    try:
        return Problem.model_validate(from_json(content))
    except (ValidationError, ValueError, RecursionError):
        return None
