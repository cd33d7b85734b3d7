"""Calls and answers as JSON text, exactly: for the bus, and for the store."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import cast

from trading_api.modules.broker.domain import requests as asked
from trading_api.modules.broker.domain.outcome import LeveragePreview, Preview, Refusal
from trading_api.modules.broker.journal.record import Record, RecordError
from trading_api.modules.broker.writer.call import AskEquity, Call, EquityNow, Reply
from trading_api.modules.broker.writer.refusal_record import RefusalRecord, record_of, refusal_of


@dataclass(frozen=True, slots=True)
class _CallRecord:
    """One of the requests is there; its field tells which. `store_id`: of the store that it is for."""

    store_id: str
    account_id: str
    id: str
    body_hash: str
    retry: bool
    place: asked.PlaceOrder | None = None
    modify: asked.ModifyOrder | None = None
    cancel: asked.CancelOrder | None = None
    close: asked.ClosePosition | None = None
    brackets: asked.EditBrackets | None = None
    leverage: asked.SetLeverage | None = None
    reset: asked.Reset | None = None
    execute: asked.ExecuteOrders | None = None
    preview: asked.PreviewOrder | None = None
    preview_leverage: asked.PreviewLeverage | None = None
    equity: AskEquity | None = None


_REQUEST_FIELDS: dict[type, str] = {
    asked.PlaceOrder: "place",
    asked.ModifyOrder: "modify",
    asked.CancelOrder: "cancel",
    asked.ClosePosition: "close",
    asked.EditBrackets: "brackets",
    asked.SetLeverage: "leverage",
    asked.Reset: "reset",
    asked.ExecuteOrders: "execute",
    asked.PreviewOrder: "preview",
    asked.PreviewLeverage: "preview_leverage",
    AskEquity: "equity",
}


@dataclass(frozen=True, slots=True)
class _ReplyRecord:
    """One of the fields is there."""

    text: str | None = None
    number: Decimal | None = None
    refusal: RefusalRecord | None = None
    preview: Preview | None = None
    leverage: LeveragePreview | None = None
    equity: EquityNow | None = None


_REPLY_FIELDS: dict[type, str] = {
    str: "text",
    Decimal: "number",
    RefusalRecord: "refusal",
    Preview: "preview",
    LeveragePreview: "leverage",
    EquityNow: "equity",
}
_CALLS, _REPLIES = Record(_CallRecord), Record(_ReplyRecord)


def dump_call(call: Call, store_id: str) -> bytes:
    """The message of a call, for the writer of a store."""
    request = {_REQUEST_FIELDS[type(call.request)]: call.request}
    record = _CallRecord(store_id, call.account_id, call.id, call.body_hash, call.retry, **request)  # type: ignore[arg-type]
    return _CALLS.text(record).encode()


def load_call(data: bytes) -> tuple[str, Call]:
    """The store that a message is for, and its call. Raises RecordError, a ValueError."""
    record = _CALLS.value(data.decode())
    request = _only(record, _REQUEST_FIELDS.values())
    wanted = cast("asked.Request | AskEquity", request)
    return record.store_id, Call(record.account_id, wanted, record.id, record.body_hash, record.retry)


def dump_reply(reply: Reply) -> str:
    """JSON text, plain ASCII."""
    written = record_of(reply) if isinstance(reply, Refusal) else reply
    return _REPLIES.text(_ReplyRecord(**{_REPLY_FIELDS[type(written)]: written}))  # type: ignore[arg-type]


def load_reply(text: str) -> Reply:
    """The reply of a text. Raises RecordError, a ValueError."""
    read = _only(_REPLIES.value(text), [field.name for field in fields(_ReplyRecord)])
    return refusal_of(read) if isinstance(read, RefusalRecord) else cast("Reply", read)


def _only(record: object, names: object) -> object:
    found = [value for name in names if (value := getattr(record, name)) is not None]  # type: ignore[attr-defined]
    if len(found) != 1:
        raise RecordError(f"holds {len(found)} values instead of one")
    return found[0]
