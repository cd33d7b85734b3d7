"""Runs generated files before they are written, so that none ever gets there that cannot be imported."""

from collections.abc import Iterable, Mapping

from trading_api.shared.errors import describe
from trading_api.shared.ws.generation.declarations import Declaration
from trading_api.shared.ws.generation.problem import Problem
from trading_api.shared.ws.generation.source import WsFolder


def try_files(folder: WsFolder, files: Mapping[str, str], declarations: Iterable[Declaration]) -> list[Problem]:
    """A problem, at its declaration, for every router file that raises. Imports the types that they name."""
    return [
        Problem(str(folder.file), found.line, found.column, f"{found.alias} cannot be imported: {reason}")
        for found in declarations
        if (reason := _failure(folder, found.stem, files[f"{found.stem}.py"]))
    ]


def _failure(folder: WsFolder, stem: str, text: str) -> str | None:
    name, file = f"{folder.generated_package}.{stem}", str(folder.generated / f"{stem}.py")
    try:
        exec(compile(text, file, "exec"), {"__name__": name, "__file__": file})  # noqa: S102 - as importing it would
    except Exception as error:  # noqa: BLE001 - the boundary to a module's own code: what its types raise is told
        return describe(error)
    return None
