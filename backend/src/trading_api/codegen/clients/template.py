"""The templates of clients."""

from functools import cache
from typing import TYPE_CHECKING

from trading_api.shared.registry import PACKAGE_FOLDER

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = PACKAGE_FOLDER / "codegen" / "templates" / "clients"


def render(template: str, **values: object) -> str:
    """A template with its places filled. A place that nothing fills is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # What is rendered is source text, and every value in it was made into such by the caller.
    return Environment(  # noqa: S701
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
