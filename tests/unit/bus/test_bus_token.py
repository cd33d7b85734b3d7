"""The file that holds the bus's token."""

from pathlib import Path

import pytest

from trading_api.shared.bus import TokenError
from trading_api.shared.bus.token_file import read_token


def written(folder: Path, content: bytes, mode: int = 0o600) -> str:
    path = folder / "bus.token"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("mode", [0o610, 0o640, 0o604, 0o601, 0o666])
def test_D04_a_token_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(TokenError, match=r"others may read the bus's token in .*; run: chmod 600"):
        read_token(written(tmp_path, b"secret", mode))


@pytest.mark.parametrize("content", [b"", b"\n", b"secret\nsecret", b"sec\x00ret", "gehe\u00edm".encode()])
def test_D04_what_is_no_token_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(TokenError, match="holds no token") as caught:
        read_token(written(tmp_path, content))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_D04_a_token_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenError, match=r"cannot read the bus's token in .*gone: No such file"):
        read_token(str(tmp_path / "gone"))
    with pytest.raises(TokenError, match="Is a directory"):
        read_token(str(tmp_path))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_D04_the_token_without_its_newline(tmp_path: Path, mode: int) -> None:
    assert read_token(written(tmp_path, b"se-cr_et\n", mode)) == "se-cr_et"
