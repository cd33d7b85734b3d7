"""What a subscriber missed."""

from __future__ import annotations

import asyncio

from trading_api.modules.broker.domain.events import Event
from trading_api.modules.broker.streams.follower import PAGE, Render
from trading_api.modules.broker.streams.log import EventLog
from trading_api.shared.ws import CannotResume, SequencedUpdate

MOST = 20_000
"""Updates that are replayed at once. They are in memory together, once for each who resumes."""
_ANEW = "read the state anew, then subscribe without `since`."


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
        updates.extend(SequencedUpdate(event.seq, render(event)) for event in page)
        if len(updates) > most:
            raise CannotResume(f"More than {most} updates were missed: {_ANEW}")
        if len(page) < PAGE:
            break
        since = page[-1].seq
    return updates
