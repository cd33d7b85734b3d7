"""supervisor's own parser as a judge of supervisord.conf: it reads the file and starts nothing."""

import io
from contextlib import redirect_stderr
from pathlib import Path

from supervisor.options import ServerOptions

from deploy.errors import DeployError


class SupervisorConfRefused(DeployError):
    """supervisor cannot read the file; the text is its own words."""


def check(conf: Path) -> None:
    """Parse `conf`. Raises SupervisorConfRefused."""
    words = io.StringIO()
    try:
        with redirect_stderr(words):
            ServerOptions().realize(["-c", str(conf)])
    except SystemExit:
        reason = words.getvalue().strip().splitlines()
        raise SupervisorConfRefused(f"{conf}: {reason[0] if reason else 'refused by supervisor'}") from None
