"""A foreign process's command line as it may be shown: bounded, printable, without its secrets."""

import re
from collections.abc import Sequence

MAX_LENGTH = 120
_MASK = "***"
_MAX_WORDS = 64
_MAX_WORD = 512
_SENSITIVE = r"[\w.-]*(?:passw|passphrase|token|secret|api[_-]?key|credential|authorization|private[_-]?key)[\w.-]*"
_ASSIGNED = re.compile(rf"(?i)({_SENSITIVE}\s*[=:]\s*)(?:(?:bearer|basic)\s+)?[^\s&;,]+")
_OPTION = re.compile(rf"(?i)-{{1,2}}{_SENSITIVE}")
_USER_INFO = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")


def command_text(argv: Sequence[str]) -> str:
    """`argv` in one line of at most 120 characters. What looks like a secret is masked before it is cut."""
    words: list[str] = []
    hide = False
    for word in argv[:_MAX_WORDS]:
        words.append(_MASK if hide else _masked(word[:_MAX_WORD]))
        hide = _OPTION.fullmatch(word[:_MAX_WORD]) is not None
    text = "".join(character if character.isprintable() else "?" for character in " ".join(words).strip())
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."


def _masked(word: str) -> str:
    word = _USER_INFO.sub(rf"\g<1>{_MASK}@", word)
    return _ASSIGNED.sub(rf"\g<1>{_MASK}", word)
