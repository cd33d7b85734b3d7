"""Finds and renders the Jinja2 templates of `supervisor/` and `nginx/`."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

_PACKAGE = Path(__file__).parents[1]
_compiled: list[FileSystemBytecodeCache] = []


def keep_compiled(private_folder: Path) -> None:
    """From now on keep compiled templates in this folder, which nobody else may write to: they are code.

    Compiling is most of what rendering costs. A template that changed is compiled anew: Jinja2 compares checksums.
    """
    _compiled[:] = [FileSystemBytecodeCache(str(private_folder), "%s.jinja")]


@cache
def folder(name: str) -> Path:
    """The folder of templates called `name`: inside the wheel, or at the root of the checkout."""
    shipped = _PACKAGE / "templates" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def render(folder_name: str, template: str, filters: dict[str, Callable[..., str]], **values: object) -> str:
    """The text of one template. A name that the template uses and nobody gives is an error, not an empty string."""
    environment = Environment(
        loader=FileSystemLoader(folder(folder_name)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=_compiled[0] if _compiled else None,
        autoescape=False,  # noqa: S701 (neither target is HTML; each has a filter of its own)
    )
    environment.filters.update(filters)
    return environment.get_template(template).render(**values)
