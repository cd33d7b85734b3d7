"""What a subscriber missed."""

from __future__ import annotations

import asyncio
import logging

from trading_api.modules.broker.domain.events import Event
from trading_api.modules.broker.streams.follower import PAGE, Render
from trading_api.modules.broker.streams.log import EventLog
from trading_api.shared.ws import CannotResume, SequencedUpdate

logger = logging.getLogger(__name__)

MOST = 20_000
"""Updates that are replayed at once. They are in memory together, once for each who resumes."""
_ANEW = "subscribe without `since` first, then read the state."


async def missed(
    log: EventLog, account_id: str, kind: type[Event], since: int, render: Render, *, most: int = MOST
) -> list[SequencedUpdate[object]]:
    """The updates of one kind after `since`, in order. Raises StoreError, and CannotResume with the reason.

    The log is never cut, so `since` is never too old; but it can be of a store that is not this one, or so old that
    reading the state anew is quicker.
    """
    last = (await asyncio.to_thread(log.last_seqs, (account_id,))).get(account_id, 0)
    if since > last:
        raise CannotResume(f"The account's last event is {last}, so nothing can come after {since}: {_ANEW}")
    updates: list[SequencedUpdate[object]] = []
    while since < last:
        page = await asyncio.to_thread(log.events_after, account_id, since, (kind,), PAGE)
        updates.extend(_update(event, render) for event in page)
        if len(updates) > most:
            raise CannotResume(f"More than {most} updates were missed: {_ANEW}")
        if len(page) < PAGE:
            break
        since = page[-1].seq
    return updates


def _update(event: Event, render: Render) -> SequencedUpdate[object]:
    """Whoever would get no further than this event for ever is told to begin anew."""
    try:
        return SequencedUpdate(event.seq, render(event))
    except Exception:  # A boundary: whatever the log holds.
        logger.exception("event %d of %s cannot be shown", event.seq, event.account_id)
        raise CannotResume(f"Event {event.seq} cannot be shown: {_ANEW}") from None
