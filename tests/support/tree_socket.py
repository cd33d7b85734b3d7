"""The supervisord of a project: its socket, its processes, its states."""

from pathlib import Path

import psutil
from support.project import Project

from deploy.layout import layout_of
from deploy.runtime.supervisor_client import connect


def socket_of(project: Project) -> Path:
    """Below `.local`, or in a short folder where that path is too long."""
    return layout_of(project.config, project.env()).socket


def supervisords(project: Project) -> list[psutil.Process]:
    """Every supervisord of the project that lives: one a generation."""
    conf = str(project.local / "etc" / "supervisord.conf")
    return [process for process in project.processes() if conf in process.cmdline()]


def state_of(project: Project, name: str) -> str:
    """The state of one process in supervisor's words; quicker than `status`."""
    client = connect(socket_of(project))
    assert client is not None, "supervisord does not run"
    with client:
        return next(info.state for info in client.processes() if info.full_name == name)
