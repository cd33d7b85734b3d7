"""The id of the request that is being served: what ties a client's report to the lines in the logs."""

import re
import uuid
from contextvars import ContextVar

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")
request_id_var: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request being served, or an empty string outside of one."""
    return request_id_var.get()


def accept_request_id(sent: str) -> str:
    """`sent` if it is fit for logs and headers, else a new id of 32 hexadecimal digits."""
    return sent if _ACCEPTED.fullmatch(sent) else uuid.uuid4().hex
