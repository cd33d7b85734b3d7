"""How requests and answers look on NATS.

Messages and requests have subjects of their own there, so that nobody who listens counts as somebody who serves.
"""

from nats.aio.msg import Msg

from trading_api.shared.bus.answering import Outcome
from trading_api.shared.bus.errors import BusError, BusUnavailable, NoResponder, ResponderBusy, ResponderFailed

MESSAGES = "trading.pub."
REQUESTS = "trading.req."
# The queue group of all that serve a subject: the server gives each request to one of its members.
SERVERS = "servers"

_ERROR = "Bus-Error"
_KINDS: dict[str, type[BusError]] = {"failed": ResponderFailed, "busy": ResponderBusy, "ended": BusUnavailable}
_STATUS, _NO_RESPONDERS = "Status", "503"


def encode(outcome: Outcome) -> tuple[bytes, dict[str, str] | None]:
    """The payload and headers of an answer."""
    if isinstance(outcome, bytes):
        return outcome, None
    kind = next((name for name, error in _KINDS.items() if isinstance(outcome, error)), "failed")
    return str(outcome).encode(), {_ERROR: kind}


def decode(subject: str, answer: Msg) -> bytes:
    """The payload of an answer to a request on `subject`; raises the error that the answer is."""
    headers = answer.headers or {}
    if headers.get(_STATUS) == _NO_RESPONDERS:
        raise NoResponder(f"nobody serves {subject!r}")
    if _ERROR in headers:
        raise _KINDS.get(headers[_ERROR], ResponderFailed)(answer.data.decode(errors="replace"))
    return answer.data
