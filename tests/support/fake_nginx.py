"""Shell scripts that answer `nginx -V` and `nginx -t` as asked."""

from pathlib import Path

GOOD = "nginx version: nginx/1.24.0 (Ubuntu)\nconfigure arguments: --prefix=/etc/nginx --with-http_ssl_module"


def fake_nginx(folder: Path, says: str = GOOD, *, code: int = 0, then: str = "") -> Path:
    """An executable `nginx` in `folder` that prints `says` to standard error, runs `then`, and exits with `code`.

    Each run adds a line to `calls` beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nginx"
    path.write_text(f'#!/bin/sh\necho "$@" >> "$0.calls"\ncat >&2 <<"END"\n{says}\nEND\n{then}\nexit {code}\n')
    path.chmod(0o755)
    return path


def calls_of(path: Path) -> list[str]:
    """The argument lists with which a fake was run."""
    calls = path.with_name("nginx.calls")
    return calls.read_text().splitlines() if calls.exists() else []
