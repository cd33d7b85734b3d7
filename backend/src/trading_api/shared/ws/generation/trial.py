"""Runs generated files before they are written, so that none ever gets there that cannot be imported."""

from collections.abc import Iterable, Mapping
from typing import TypeGuard, cast

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from trading_api.shared.errors import describe
from trading_api.shared.ws.generation.declarations import Declaration
from trading_api.shared.ws.generation.problem import Problem
from trading_api.shared.ws.generation.source import WsFolder
from trading_api.shared.ws.route import AnyRoute, WsRoute


def try_files(folder: WsFolder, files: Mapping[str, str], declarations: Iterable[Declaration]) -> list[Problem]:
    """A problem, at its declaration, for every router file that raises, and for types that JSON cannot say.

    Imports the types that they name.
    """
    return [
        Problem(str(folder.file), found.line, found.column, f"{found.alias} {reason}")
        for found in declarations
        if (reason := _failure(folder, found.stem, files[f"{found.stem}.py"]))
    ]


def _failure(folder: WsFolder, stem: str, text: str) -> str | None:
    name, file = f"{folder.generated_package}.{stem}", str(folder.generated / f"{stem}.py")
    made: dict[str, object] = {"__name__": name, "__file__": file}
    try:
        exec(compile(text, file, "exec"), made)  # noqa: S102 - as importing it would
    except Exception as error:  # noqa: BLE001 - the boundary to a module's own code: what its types raise is told
        return f"cannot be imported: {describe(error)}"
    return next(filter(None, (_unspeakable(value) for value in made.values() if is_route(value))), None)


def _unspeakable(route: AnyRoute) -> str | None:
    """Why the types of `route` cannot cross the wire; None when they can."""
    for role, kind, mode in (
        ("request type", route.request_type, "validation"),
        ("data type", route.data_type, "serialization"),
    ):
        try:
            TypeAdapter(kind).json_schema(mode=cast("JsonSchemaMode", mode))
        except Exception as error:  # noqa: BLE001 - as above; pydantic's own errors have no base in common
            return f"has a {role} that JSON cannot say: {describe(error).splitlines()[0]}"
    return None


def is_route(value: object) -> TypeGuard[AnyRoute]:
    """Whether `value` is a class that the generator wrote."""
    return isinstance(value, type) and issubclass(value, WsRoute) and value is not WsRoute
