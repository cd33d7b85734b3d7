"""What generated clients are made of. Needs pydantic, httpx and websockets, and nothing else."""

from .answer import Binary, Call, Json, Nothing, Reader, Response, Text
from .errors import (
    ApiError,
    BadRequest,
    ClientError,
    Conflict,
    DecodeError,
    FieldProblem,
    Forbidden,
    InvalidRequest,
    NotFound,
    Problem,
    ServerError,
    SlowConsumer,
    StreamRefused,
    SubscriptionError,
    TooManyRequests,
    TransportError,
    Unauthorized,
)
from .model import ApiModel, IntEnum, StrEnum
from .request import File, RawBody, Request, form_body, headers, joined, json_body, multipart_body, target
from .rest import AsyncRestClient, SyncRestClient
from .retry import Dice, RetryPolicy
from .stream import DurableStream, Stream, Subscription
from .stream_client import AsyncStreamClient
from .stream_events import Disconnected, Event, Gap, Reconnected, Update
from .stream_route import StreamPolicy, StreamRoute

__all__ = [
    "ApiError",
    "ApiModel",
    "AsyncRestClient",
    "AsyncStreamClient",
    "BadRequest",
    "Binary",
    "Call",
    "ClientError",
    "Conflict",
    "DecodeError",
    "Dice",
    "Disconnected",
    "DurableStream",
    "Event",
    "FieldProblem",
    "File",
    "Forbidden",
    "Gap",
    "IntEnum",
    "InvalidRequest",
    "Json",
    "NotFound",
    "Nothing",
    "Problem",
    "RawBody",
    "Reader",
    "Reconnected",
    "Request",
    "Response",
    "RetryPolicy",
    "ServerError",
    "SlowConsumer",
    "StrEnum",
    "Stream",
    "StreamPolicy",
    "StreamRefused",
    "StreamRoute",
    "Subscription",
    "SubscriptionError",
    "SyncRestClient",
    "Text",
    "TooManyRequests",
    "TransportError",
    "Unauthorized",
    "Update",
    "form_body",
    "headers",
    "joined",
    "json_body",
    "multipart_body",
    "target",
]
