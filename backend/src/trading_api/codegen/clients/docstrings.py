"""Docstrings of generated methods, out of the descriptions of the contract."""

import textwrap
from collections.abc import Iterable, Iterator

from trading_api.codegen.clients.operation import Operation
from trading_api.codegen.clients.read_streams import Stream

_WIDTH = 108
_CLASSES = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "409": "Conflict",
    "422": "InvalidRequest",
    "429": "TooManyRequests",
}


def operation_docstring(operation: Operation) -> str:
    """What the operation does, takes and raises, as the inside of a docstring."""
    arguments = [(parameter.name, parameter.description) for parameter in operation.keywords]
    body = operation.argument
    if body is not None:
        arguments.insert(0, (body.name, body.description or "What is sent."))
    sections = [
        operation.description,
        "Deprecated." if operation.deprecated else "",
        _section("Args", [(name, text) for name, text in arguments if text]),
        _section("Raises", _raises(operation)),
    ]
    return docstring(sections)


def stream_docstring(stream: Stream) -> str:
    """What the stream sends, and what happens to a slow reader."""
    same = f" of the same `{stream.key}`" if stream.key else ""
    policy = f"A slow reader misses old updates{same}." if stream.conflate else "A slow reader gets SlowConsumer."
    durable = " Numbered: a lost connection loses none, and `since` asks for earlier ones." if stream.durable else ""
    return docstring([stream.description, policy + durable])


def docstring(sections: Iterable[str]) -> str:
    """Paragraphs as the inside of a docstring: wrapped, and without what would end it."""
    text = "\n\n".join(_wrapped(section) for section in sections if section.strip())
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').strip()
    return text[:-1] + '\\"' if text.endswith('"') else text


def _section(title: str, entries: Iterable[tuple[str, str]]) -> str:
    lines = [f"    {name}: {' '.join(text.split())}" for name, text in entries]
    return "\n".join([f"{title}:", *lines]) if lines else ""


def _raises(operation: Operation) -> Iterator[tuple[str, str]]:
    for status, description in operation.errors:
        yield _CLASSES.get(status, "ServerError" if status.startswith("5") else "ApiError"), description or status
    yield "ApiError", "Any other refusal."
    yield "TransportError", "No answer came."


def _wrapped(section: str) -> str:
    return "\n".join(_wrapped_line(line) for line in section.strip("\n").splitlines())


def _wrapped_line(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(
        line.strip(),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + ("    " if indent else ""),
        break_long_words=False,
        break_on_hyphens=False,
    )
