"""What one transaction makes durable."""

from __future__ import annotations

from dataclasses import dataclass

from trading_api.modules.broker.domain.events import Event


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What was answered to a command, kept so that its retry gets the same. `body_hash` tells other commands apart.

    Every text must be one that a database takes: no NUL character, no half of a surrogate pair.
    """

    account_id: str
    command_id: str
    body_hash: str
    answer_json: str

    @property
    def key(self) -> tuple[str, str]:
        return self.account_id, self.command_id


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the order in which they happened (of each account: by `seq`), and the answers that rest on them."""

    events: tuple[Event, ...] = ()
    answers: tuple[CommandAnswer, ...] = ()
