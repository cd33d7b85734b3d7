"""What texts of clients may hold that are looked up, or kept."""

from typing import Any

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema


class _NoNul(AfterValidator):
    """Says so in the contract, too."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"pattern": r"^[^\x00]*$"}


def _no_nul(text: str) -> str:
    """PostgreSQL takes no text with one, and whoever asks for a name with one has none in mind."""
    if "\0" in text:
        raise ValueError("a text holds a NUL character")
    return text


NO_NUL = _NoNul(_no_nul)
