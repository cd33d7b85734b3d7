"""What texts of clients may hold that are looked up, or kept."""

from pydantic import AfterValidator


def _no_nul(text: str) -> str:
    """PostgreSQL takes no text with one, and whoever asks for a name with one has none in mind."""
    if "\0" in text:
        raise ValueError("a text holds a NUL character")
    return text


NO_NUL = AfterValidator(_no_nul)
