"""Renders the index of every client: a package that imports a client when it is first asked for."""

from collections.abc import Iterable, Mapping, Sequence

from trading_api.codegen.clients.formatting import formatted
from trading_api.codegen.clients.header import python_header
from trading_api.codegen.clients.naming import client_class_name, sync_client_class_name
from trading_api.codegen.clients.runtime_copy import render_runtime
from trading_api.codegen.clients.source import ClientSource
from trading_api.codegen.clients.template import render

INSTALLED = "trading_api.modules.{module}.client_generated"
_ERRORS = (
    "ApiError BadRequest ClientError Conflict DecodeError Disconnected File Forbidden Gap InvalidRequest NotFound "
    "Problem Reconnected RetryPolicy ServerError SlowConsumer StreamPolicy StreamRefused SubscriptionError "
    "TooManyRequests TransportError Unauthorized Update"
)
RUNTIME_NAMES = tuple(_ERRORS.split(" "))


def render_index(sources: Sequence[ClientSource], *, package: str = INSTALLED) -> dict[str, str]:
    """The files of `trading_api/clients/`: index, runtime and `py.typed`.

    `package` says where the clients are, with a place for the module's name; `.` is beside the index.
    """
    runtime = {f"runtime/{name}": text for name, text in render_runtime().items()}
    return {**runtime, "py.typed": "", "__init__.py": _index(_ordered(sources), package)}


def _ordered(sources: Iterable[ClientSource]) -> list[ClientSource]:
    return sorted(sources, key=lambda source: (source.module, source.version))


def _index(sources: Iterable[ClientSource], package: str) -> str:
    places: dict[str, str] = {}
    modules: dict[str, str] = {}
    for source in sources:
        folder = package.format(module=source.module)
        client, models = f"{source.stem}_client", f"{source.stem}_models"
        place = f"{folder.removesuffix('.')}.{client}"
        places[client_class_name(source)] = places[sync_client_class_name(source)] = place
        modules[models] = folder
    names = sorted({*places, *modules, *RUNTIME_NAMES})
    text = render("index.py.j2", places=places, modules=modules, imports=_imports(places, modules), names=names)
    return formatted(python_header() + text)


def _imports(places: Mapping[str, str], modules: Mapping[str, str]) -> list[str]:
    """What a type checker reads: one line for each package, sorted as ruff sorts, relative ones last."""
    names: dict[str, list[str]] = {".runtime": list(RUNTIME_NAMES)}
    for name, package in (*places.items(), *modules.items()):
        names.setdefault(package, []).append(name)
    absolute = [_line(package, names[package]) for package in sorted(names) if not package.startswith(".")]
    relative = [_line(package, names[package]) for package in sorted(names) if package.startswith(".")]
    return [*absolute, "", *relative] if absolute else relative


def _line(package: str, names: list[str]) -> str:
    return f"from {package} import {', '.join(sorted(names))}"
