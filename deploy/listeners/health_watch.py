"""Finds processes that live but do not answer, and ends them, so that supervisord starts them again (P09).

Without threads, because supervisord forks: questions are dispatchers of its own poll loop, and so is the watch. The
loop asks every dispatcher whether it is readable before it polls, for a second at most; that is the clock here.
"""

import functools
import shlex
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import supervisor.events as events
from supervisor.states import ProcessStates, SupervisorStates

from deploy.listeners import ending, wakeup
from deploy.listeners.health_life import Life
from deploy.listeners.health_question import Question
from deploy.listeners.health_rules import AppliedRules, HealthRules, Target

# No file has this number. The watch is never readable, so it is never polled.
_NUMBER = -1
# supervisord polls for a second at most. A round that begins later than this after the last one was held up (a starved
# or paused machine), and then an answer may be late for the same reason.
_LATE_S = 1.0 + 0.5
# Rounds follow each other closely while processes log much.
_LEAST_ROUND_S = 0.2
# From SIGABRT, on which Python's faulthandler writes the stacks, to SIGKILL.
_LAST_WORDS_S = 1.0
_PAUSE_S = 60.0

# supervisor ships no types; these are its Supervisord and Subprocess.
_Supervisord = Any
_Process = Any
_Ask = Callable[[Target, float, float], Question]
_Send = Callable[[_Process, signal.Signals], None]


class HealthWatch:
    """A dispatcher of supervisord's socket map. Whatever goes wrong in it, supervisord goes on."""

    def __init__(
        self,
        supervisord: _Supervisord,
        tree_file: Path,
        *,
        ask: _Ask = Question,
        clock: Callable[[], float] = time.monotonic,
        send: _Send = ending.send,
    ) -> None:
        self._supervisord = supervisord
        self._rules = AppliedRules(tree_file)
        self._ask, self._clock, self._send = ask, clock, send
        self._lives: dict[str, Life] = {}
        self._last_round = self._next_look = clock()

    def install(self) -> None:
        """Join supervisord's loop, in the place of a former watch (`supervisorctl reload` builds interfaces anew)."""
        self._supervisord.options.get_socket_map()[_NUMBER] = self
        # A question that a reload left in the loop would be one about a file that is closed.
        events.subscribe(events.SupervisorStoppingEvent, lambda _event: self.forget_all())

    def readable(self) -> bool:
        """Never, but this is when supervisord's round begins."""
        try:
            self._round(self._clock())
        except Exception:  # noqa: BLE001 - raised here, anything would end supervisord.
            self._pause()
        return False

    def writable(self) -> bool:
        return False

    def confirm(self, names: Iterable[str]) -> None:
        """These were seen to answer, by supervisor's full names: from now on their silence counts."""
        running = dict(self._processes())
        for name in running.keys() & set(names):
            self._life(name, running[name].pid, self._clock()).confirm()

    def forget_all(self) -> None:
        """Withdraw every question; all processes are as if never seen."""
        for name in list(self._lives):
            self._forget(name)

    def _round(self, now: float) -> None:
        late, self._last_round = now - self._last_round > _LATE_S, now
        if late:
            self._start_anew()
        if now < self._next_look and not any(self._is_over(life) for life in self._lives.values()):
            return
        self._next_look = now + _LEAST_ROUND_S
        if self._supervisord.options.mood < SupervisorStates.RUNNING:
            self.forget_all()
        else:
            self._look(now)

    def _start_anew(self) -> None:
        for life in self._lives.values():
            self._withdraw(life)
            life.start_anew()

    @staticmethod
    def _is_over(life: Life) -> bool:
        return life.question is not None and not life.question.readable()

    def _look(self, now: float) -> None:
        rules, running = self._rules.read(), dict(self._processes())
        for name in self._lives.keys() - running.keys():
            self._forget(name)
        for name, process in running.items():
            self._life(name, process.pid, now)
            self._look_at(name, process, rules, now)

    def _life(self, name: str, pid: int, now: float) -> Life:
        if name not in self._lives or self._lives[name].pid != pid:
            self._forget(name)
            self._lives[name] = Life(pid, now)
        return self._lives[name]

    def _processes(self) -> Iterator[tuple[str, _Process]]:
        """Those that have a pid, by supervisor's full names."""
        for group in self._supervisord.process_groups.values():
            for name, process in group.processes.items():
                if process.pid:
                    yield f"{group.config.name}:{name}", process

    def _look_at(self, name: str, process: _Process, rules: HealthRules, now: float) -> None:
        life, target = self._lives[name], _target_of(name, process, rules)
        if target is None:
            self._withdraw(life)
            life.start_anew()
            life.kill_at = None
        elif life.kill_at is None:
            self._question(life, target, rules, now)
            if life.is_hung(rules):
                self._end(name, process, target, now)
        elif now >= life.kill_at:
            self._send(process, signal.SIGKILL)
            life.kill_at = now + _PAUSE_S

    def _question(self, life: Life, target: Target, rules: HealthRules, now: float) -> None:
        """Take the answer that is due, then ask when it is time."""
        if life.aim(target):
            self._withdraw(life)
        if life.question is not None and (verdict := life.question.verdict(now)):
            life.judge(verdict, life.question.asked, rules)
            self._withdraw(life)
        if life.question is None and now >= life.next_question and not life.is_hung(rules):
            life.next_question = now + rules.interval
            self._put(life, target, now, rules.timeout)

    def _put(self, life: Life, target: Target, now: float, timeout: float) -> None:
        life.question = self._ask(target, now, timeout)
        self._supervisord.options.get_socket_map()[life.question.fileno()] = life.question
        # This round polls what was there when it began.
        wakeup.poke()

    def _end(self, name: str, process: _Process, target: Target, now: float) -> None:
        life = self._lives[name]
        self._supervisord.options.logger.warn(
            f"{_short(name)} (pid {life.pid}) did not answer {target} {life.silences} times in "
            f"{now - life.first_silence:.0f} s: it is ended and started again"
        )
        # nats-server has nothing to say.
        last_words = target.path is not None
        self._send(process, signal.SIGABRT if last_words else signal.SIGKILL)
        life.kill_at = now + (_LAST_WORDS_S if last_words else _PAUSE_S)

    def _forget(self, name: str) -> None:
        if life := self._lives.pop(name, None):
            self._withdraw(life)

    def _withdraw(self, life: Life) -> None:
        question, life.question = life.question, None
        if question is not None:
            options = self._supervisord.options
            question.withdraw(options.get_socket_map(), options.poller)

    def _pause(self) -> None:
        """Say what went wrong, and leave every process alone for a while."""
        self._next_look = self._last_round + _PAUSE_S
        with suppress(Exception):
            problem = traceback.format_exc()
            self._supervisord.options.logger.warn(f"hung processes go unseen for {_PAUSE_S:.0f} s: {problem}")
        with suppress(Exception):
            self.forget_all()


def _target_of(name: str, process: _Process, rules: HealthRules) -> Target | None:
    """Where to ask; None where it is not to be asked: it stops or starts, or is not the process that was planned."""
    target = rules.targets.get(name) if rules.failures > 0 else None
    if target is None or process.get_state() != ProcessStates.RUNNING:
        return None
    return target if _words(process.config.command) == target.argv else None


@functools.lru_cache(maxsize=1024)
def _words(command: str) -> tuple[str, ...]:
    return tuple(shlex.split(command))


def _short(name: str) -> str:
    """supervisor's own way to write it: a group of one is called by the one name."""
    group, _, member = name.partition(":")
    return member if member == group else name
