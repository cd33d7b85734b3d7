"""supervisord's XML-RPC namespace `tree`: what its own interface lacks for running this tree.

- `compare` and `adopt`: reconciliation per process; supervisor's own `update` restarts a whole group when one program
  in it changes.
- `stop`: a stop with its own time until SIGKILL.
- `confirm`: RUNNING as soon as a process is known to be healthy.
- `overview`: priorities and restart counts.
- `digest`: whether supervisord holds a variable that its children inherit, and the value that somebody else has.
- An end to crash loops whose lives last longer than `startsecs`, and the reason of every FATAL in plain `status`.
- An end to what a process that died by itself leaves behind of its group, and to processes that hang.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import supervisor.events as events
from supervisor.states import STOPPED_STATES, ProcessStates
from supervisor.xmlrpc import Faults, RPCError

from deploy.listeners import ending, wakeup
from deploy.listeners.digest import digest_of
from deploy.listeners.health_watch import HealthWatch
from deploy.listeners.reason import last_reason

# A process that exits by itself this often in a row, each time within this many seconds of its start, is given up.
_MAX_SHORT_LIVES = 4
_SHORT_LIFE_S = 10.0

# supervisor ships no types; these are its Supervisord, Subprocess, ProcessConfig and ProcessGroupConfig.
_Supervisord = Any
_Process = Any
_Event = Any
_Configs = dict[str, tuple[Any, Any]]


class TreeInterface:
    """The methods of the namespace. Names are supervisor's full ones: `broker:broker-0`, and `nginx:nginx`."""

    def __init__(self, supervisord: _Supervisord, watch: HealthWatch | None = None) -> None:
        self._supervisord = supervisord
        self._watch = watch
        self._restarts: Counter[str] = Counter()
        self._short_lives: Counter[str] = Counter()
        events.subscribe(events.ProcessStateStartingEvent, self._on_starting)
        events.subscribe(events.ProcessStateExitedEvent, self._on_exited)
        events.subscribe(events.ProcessStateBackoffEvent, self._on_backoff)
        events.subscribe(events.ProcessStateFatalEvent, self._on_fatal)
        wakeup.install(supervisord.options.get_socket_map())

    def overview(self) -> dict[str, dict[str, int]]:
        """Per process: the priority of its group, and how often it was restarted after dying."""
        return {
            name: {"priority": group.config.priority, "restarts": self._restarts[name]}
            for name, (group, _) in self._running().items()
        }

    def digest(self, name: str, nonce: str) -> str:
        """`digest_of` a variable of supervisord's own environment; empty where it is not set, or to nothing."""
        return digest_of(os.environ.get(name, ""), nonce)

    def compare(self, path: str = "") -> dict[str, list[str]]:
        """What the configuration file (or the one at `path`) would add, change and remove; nothing is applied.

        Fault CANT_REREAD when supervisor's parser refuses the file.
        """
        wanted = self._wanted(path)
        running = self._running()
        return {
            "added": [name for name in wanted if name not in running],
            "changed": [name for name in wanted if name in running and self._differs(wanted[name], running[name])],
            "removed": [name for name in running if name not in wanted],
        }

    def adopt(self, names: list[str]) -> bool:
        """Take over the file's view of these processes: add, replace, or drop them. Those with autostart start.

        Fault STILL_RUNNING, naming it, when one of them runs.
        """
        wanted, running = self._wanted(), self._running()
        for name in names:
            if name in running and running[name][1].get_state() not in STOPPED_STATES:
                raise RPCError(Faults.STILL_RUNNING, name)
        for name in names:
            self._drop(name)
            if name in wanted:
                self._add(*wanted[name])
        for group_config in self._supervisord.options.process_group_configs:
            if group_config.name in self._supervisord.process_groups:
                self._supervisord.process_groups[group_config.name].config = group_config
        return True

    def stop(self, names: list[str], timeout: float) -> bool:
        """Send these processes their stop signal at once; SIGKILL follows after `timeout` seconds. Does not wait."""
        running = self._running()
        for name in names:
            if name in running:
                self._stop(running[name][1], timeout)
        return True

    def confirm(self, names: list[str]) -> bool:
        """These processes answered for their health: they are RUNNING, whatever `startsecs` still waits for."""
        running = self._running()
        for name in names:
            process = running[name][1] if name in running else None
            if process is not None and process.get_state() == ProcessStates.STARTING:
                process.delay = process.backoff = 0
                process.change_state(ProcessStates.RUNNING)
        if self._watch is not None:
            self._watch.confirm(names)
        return True

    def _stop(self, process: _Process, timeout: float) -> None:
        state = process.get_state()
        if state in (ProcessStates.RUNNING, ProcessStates.STARTING):
            process.stop()
        elif state == ProcessStates.BACKOFF:
            process.give_up()
        if process.get_state() == ProcessStates.STOPPING:
            process.delay = time.time() + timeout

    def _running(self) -> _Configs:
        groups = self._supervisord.process_groups.values()
        return {f"{group.config.name}:{name}": (group, p) for group in groups for name, p in group.processes.items()}

    def _wanted(self, path: str = "") -> _Configs:
        options = self._supervisord.options
        configured, known = options.configfile, options.process_group_configs
        try:
            options.configfile = path or configured
            options.process_config(do_usage=False)
        except ValueError as error:
            options.process_group_configs = known
            raise RPCError(Faults.CANT_REREAD, str(error)) from None
        finally:
            options.configfile = configured
        groups = options.process_group_configs
        if path:
            options.process_group_configs = known
        return {
            f"{group.name}:{program.name}": (group, program) for group in groups for program in group.process_configs
        }

    @staticmethod
    def _differs(wanted: tuple[Any, Any], running: tuple[Any, Any]) -> bool:
        return bool(wanted[1] != running[1].config or wanted[0].priority != running[0].config.priority)

    def _drop(self, full_name: str) -> None:
        group_name, _, name = full_name.partition(":")
        group = self._supervisord.process_groups.get(group_name)
        if group is None or name not in group.processes:
            return
        del group.processes[name]
        if not group.processes:
            del self._supervisord.process_groups[group_name]
            events.notify(events.ProcessGroupRemovedEvent(group_name))

    def _add(self, group_config: Any, process_config: Any) -> None:
        groups = self._supervisord.process_groups
        if group_config.name not in groups:
            group_config.after_setuid()
            groups[group_config.name] = group_config.make_group()
            groups[group_config.name].processes.clear()
            events.notify(events.ProcessGroupAddedEvent(group_config.name))
        group = groups[group_config.name]
        group.processes[process_config.name] = process_config.make_process(group)

    def _on_starting(self, event: _Event) -> None:
        if event.from_state in (ProcessStates.EXITED, ProcessStates.BACKOFF):
            self._restarts[_full_name(event.process)] += 1

    def _on_backoff(self, event: _Event) -> None:
        _end_group(event.process)

    def _on_exited(self, event: _Event) -> None:
        process, name = event.process, _full_name(event.process)
        _end_group(process)
        wakeup.poke()
        killed_from_outside = process.exitstatus is None or process.exitstatus < 0
        if killed_from_outside or process.laststop - process.laststart > _SHORT_LIFE_S:
            self._short_lives[name] = 0
            return
        self._short_lives[name] += 1
        if self._short_lives[name] >= _MAX_SHORT_LIVES:
            self._short_lives[name] = 0
            process.system_stop = True
            process.change_state(ProcessStates.FATAL)

    def _on_fatal(self, event: _Event) -> None:
        process = event.process
        reason = last_reason(Path(process.config.stdout_logfile)) if process.config.stdout_logfile else ""
        self._short_lives[_full_name(process)] = 0
        if reason:
            process.spawnerr = f"keeps dying: {reason}"


def _end_group(process: _Process) -> None:
    """Kill what is left of the group that `process` led: a worker of a killed master goes on holding the port."""
    if process.config.killasgroup:
        ending.send(process, signal.SIGKILL)


def _full_name(process: _Process) -> str:
    return f"{process.group.config.name}:{process.config.name}"


def make_tree_interface(supervisord: _Supervisord, tree_file: str = "") -> TreeInterface:
    """Called by supervisord, as `[rpcinterface:tree]` says. Without `tree_file`, the applied plan, nobody is asked.

    That is a name beside supervisord.conf: here supervisor has no way to write every path.
    """
    if not tree_file:
        return TreeInterface(supervisord)
    watch = HealthWatch(supervisord, Path(supervisord.options.configfile).parent / tree_file)
    watch.install()
    return TreeInterface(supervisord, watch)
