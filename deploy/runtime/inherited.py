"""What servers inherit of supervisord's environment, which is that of the shell it was once started from."""

import secrets
from collections.abc import Mapping

from deploy.errors import DeployError
from deploy.listeners.digest import digest_of
from deploy.runtime.supervisor_client import SupervisorClient

_ANEW = "make supervise-down, then make supervise-up"


class NotInherited(DeployError):
    """The running supervisord lacks a variable that servers are to inherit. Nothing was started or changed."""


def check_inherited(variable: str | None, client: SupervisorClient, environ: Mapping[str, str]) -> str:
    """A note where supervisord holds another value of `variable` (that of `users.key_env`) than `environ`; else "".

    Raises NotInherited where it has none. Neither value is shown, nor leaves its process.
    """
    if variable is None:
        return ""
    nonce = secrets.token_hex(32)
    held = client.digest(variable, nonce)
    if held == "":
        words = f"users.key_env: supervisord was started without {variable}: {_ANEW}"
        raise NotInherited(f"{words}; nothing was started or changed")
    if held in (None, digest_of(environ.get(variable, ""), nonce)):
        return ""
    return f"supervisord was started with another {variable}, which servers go on with; for the new one: {_ANEW}"
