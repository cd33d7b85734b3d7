"""Formats generated files as `make format` would."""

from collections.abc import Mapping

from trading_api.shared.ws.generation.imports import LINE_LENGTH

# RUF100, for which lines ruff forgives, such as one that ends in a long URL, is its own affair.
_NOQA = "# ruff: noqa: E501, RUF100"


def with_long_lines_allowed(text: str) -> str:
    """`text` with a word to ruff below its first line, if some line, such as one with a long text, is too long."""
    if all(len(line) <= LINE_LENGTH for line in text.splitlines()):
        return text
    first, _, rest = text.partition("\n")
    return f"{first}\n\n{_NOQA}\n{rest}"


def format_files(files: Mapping[str, str]) -> dict[str, str]:
    """`files` as black writes them. Raises ImportError where black, a development dependency, is not installed."""
    # Here and not above: it takes longer to import than to generate.
    from black import format_str
    from black.mode import Mode, TargetVersion

    mode = Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311})
    return {name: format_str(text, mode=mode) for name, text in files.items()}
