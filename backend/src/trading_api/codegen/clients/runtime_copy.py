"""The runtime as it is copied beside generated clients: the same source, under a header that says where it is from."""

from trading_api.codegen.clients.header import python_header
from trading_api.shared.registry import PACKAGE_FOLDER

FOLDER = PACKAGE_FOLDER / "codegen" / "client_runtime"


def render_runtime() -> dict[str, str]:
    """The files of the package `runtime`, by name."""
    header = python_header()
    return {path.name: header + path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}
