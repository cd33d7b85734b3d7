"""Escaping for supervisord.conf: the one place that knows how supervisor 4.3 reads a value.

supervisor strips white space, cuts a value at white space followed by `;` or `#`, expands `%(name)s`, and only then
splits a command as a POSIX shell would. An environment value is split by another rule that knows quotes but no escapes.
"""

import re
import shlex

# Expands to nothing. It keeps white space apart from a `;` or `#` that would start a comment, and from the ends.
_NOTHING = "%(here).0s"
_COMMENT = re.compile(r"(\s)([;#])")


class UnrepresentableError(ValueError):
    """A text that supervisord.conf cannot hold."""


def option(text: str) -> str:
    """`text` as the value of an option that is taken as it is: a path, a name.

    Raises UnrepresentableError for line breaks and other control characters.
    """
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise UnrepresentableError(f"supervisord.conf cannot hold a control character: {text!r}")
    escaped = _COMMENT.sub(rf"\1{_NOTHING}\2", text.replace("%", "%%"))
    if escaped != escaped.strip() or escaped[:1] in (";", "#"):
        return f"{_NOTHING}{escaped}{_NOTHING}"
    return escaped


def log_file(text: str) -> str:
    """`text` as a program's `stdout_logfile`, which supervisor 4.3 expands twice."""
    return option(text.replace("%", "%%"))


def command(argv: tuple[str, ...]) -> str:
    """`argv` as a `command=`: the program is executed with exactly these words."""
    return option(shlex.join(argv))


def environment(pairs: tuple[tuple[str, str], ...]) -> str:
    """`pairs` as an `environment=`.

    Raises UnrepresentableError for a value that holds both kinds of quote, or that starts or ends with one.
    """
    return ",".join(f"{name}={option(_quoted(value))}" for name, value in pairs)


def _quoted(value: str) -> str:
    if value.strip("'\"") != value or ("'" in value and '"' in value):
        raise UnrepresentableError(f"an environment value cannot hold these quotes: {value!r}")
    return f"'{value}'" if '"' in value else f'"{value}"'
