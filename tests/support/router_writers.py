"""Ways in which writing generated routers goes wrong."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from trading_api.shared.atomic import replace_if_different


@contextmanager
def replacing_fails_for(name: str) -> Iterator[None]:
    """Inside, the disk is full when the file `name` is to be replaced."""

    def failing(path: Path, text: str) -> bool:
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace_if_different(path, text)

    with patch("trading_api.shared.ws.generation.writing.replace_if_different", failing):
        yield
