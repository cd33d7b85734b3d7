"""What nats-py leaves behind when a connection ends badly, by its private names.

It cannot leave a server that reads no more. When a write fails while it closes, it stops there: its tasks hold an error
that nobody fetches, and its subscriptions wait for ever. Should a name change, only this is lost again, and the tests
of faults say so.
"""

import asyncio
from collections.abc import Iterable

from nats.aio.client import Client
from nats.aio.subscription import Subscription

_TASKS = ("_reading_task", "_flusher_task", "_ping_interval_task", "_reconnection_task")


def abort(client: Client) -> None:
    """Drop the connection now, with what waits to be sent."""
    writer = getattr(getattr(client, "_transport", None), "_io_writer", None)
    if isinstance(writer, asyncio.StreamWriter):
        writer.transport.abort()


async def end_tasks(client: Client, subscriptions: Iterable[Subscription]) -> None:
    """End every task of a client that is closed, and of its subscriptions."""
    found = [getattr(client, name, None) for name in _TASKS]
    found += [getattr(subscription, "_wait_for_msgs_task", None) for subscription in subscriptions]
    tasks = [task for task in found if isinstance(task, asyncio.Task) and task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def offers_tls(client: Client) -> bool:
    """Whether the server that the client is connecting to asked for TLS, which nats-py then uses."""
    info: dict[str, object] = getattr(client, "_server_info", {})
    return bool(info.get("tls_required"))
