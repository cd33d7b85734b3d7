"""A reload has taken place when new workers serve and the former ones leave (P06: no stale nginx.conf)."""

from collections.abc import Iterator

import pytest

from deploy.runtime import gateway_reload
from deploy.runtime.gateway_reload import Reload, ReloadRefused

Monkey = pytest.MonkeyPatch


def _generations(monkeypatch: Monkey, *seen: set[int], leaving: frozenset[int] = frozenset()) -> None:
    """The workers as they are seen one look after the other; the last set stays."""

    def looks() -> Iterator[set[int]]:
        yield from seen
        while True:
            yield seen[-1]

    look = looks()
    monkeypatch.setattr(gateway_reload, "_workers", lambda _master: next(look))
    monkeypatch.setattr(gateway_reload, "_is_leaving", lambda pid: pid in leaving)
    monkeypatch.setattr(gateway_reload, "_PATIENCE_S", 0.1)


def test_P06_a_refused_reload_is_an_error(monkeypatch: Monkey) -> None:
    _generations(monkeypatch, {1, 2})
    with pytest.raises(ReloadRefused, match=r"nginx-error\.log"):
        Reload(100).wait()


def test_P06_former_workers_that_still_accept_are_waited_for(monkeypatch: Monkey) -> None:
    _generations(monkeypatch, {1}, {1, 2}, {1, 2, 3})
    with pytest.raises(ReloadRefused):
        Reload(100).wait()


def test_P06_it_is_done_when_the_former_workers_are_gone(monkeypatch: Monkey) -> None:
    _generations(monkeypatch, {1}, {1}, {1, 2}, {2})
    Reload(100).wait()


def test_P06_a_former_worker_that_finishes_its_requests_is_not_waited_for(monkeypatch: Monkey) -> None:
    _generations(monkeypatch, {1}, {1, 2}, leaving=frozenset({1}))
    Reload(100).wait()
