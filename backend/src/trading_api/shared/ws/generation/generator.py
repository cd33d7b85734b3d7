"""From the declarations of one version to its files: read, rendered, tried and stamped in memory, then written."""

from pathlib import Path

from trading_api.shared.ws.generation.declarations import read_declarations
from trading_api.shared.ws.generation.formatting import format_files, with_long_lines_allowed
from trading_api.shared.ws.generation.problem import DeclarationError, Problem, RoutersNotWritableError
from trading_api.shared.ws.generation.rendering import render
from trading_api.shared.ws.generation.source import Source, WsFolder
from trading_api.shared.ws.generation.stamp import stamped
from trading_api.shared.ws.generation.trial import try_files
from trading_api.shared.ws.generation.writing import write_files


def generate_files(source: Source, *, formatted: bool) -> dict[str, str]:
    """The files that `source` asks for, by name. Raises DeclarationError with every problem."""
    folder = source.folder
    declarations, problems = read_declarations(source)
    _raise(folder, problems)
    files = render(folder, declarations)
    _raise(folder, try_files(folder, files, declarations))
    if formatted:
        files = format_files(files)
    files = {name: with_long_lines_allowed(text) for name, text in files.items()}
    return stamped(files, source, formatted=formatted)


def write_generated(folder: WsFolder, files: dict[str, str]) -> tuple[Path, ...]:
    """Write what differs; returns what was written or removed. Raises RoutersNotWritableError."""
    try:
        return write_files(folder, files)
    except OSError as error:
        raise RoutersNotWritableError(folder.module, folder.generated, error) from error


def _raise(folder: WsFolder, problems: tuple[Problem, ...] | list[Problem]) -> None:
    if problems:
        raise DeclarationError(folder.module, problems)
