"""Puts folders into place: all of them whole, or none (A07). Never over something that stands there."""

import errno
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

Files = Mapping[str, str]


def place_folders(folders: Mapping[Path, Files]) -> None:
    """Make each folder with its files, in the order given. Each is written beside its place and then renamed.

    Of several processes that do this at once, one wins. Raises OSError (FileExistsError where somebody was first)
    with nothing left behind.
    """
    with ExitStack() as undo:
        staged = {target: _stage(target, files, undo) for target, files in folders.items()}
        with ExitStack() as withdraw:
            for target, folder in staged.items():
                _move(folder, target)
                withdraw.callback(target.rename, folder)
            withdraw.pop_all()


def _stage(target: Path, files: Files, undo: ExitStack) -> Path:
    """The folder beside `target` that becomes it. The hidden name keeps it from being taken for a module."""
    try:
        holder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        # The hidden name would tell nobody anything.
        raise OSError(error.errno, error.strerror, str(target)) from error
    undo.callback(shutil.rmtree, holder, ignore_errors=True)
    folder = holder / target.name
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _move(folder: Path, target: Path) -> None:
    """Rename `folder` to `target`. Raises FileExistsError where something stands there."""
    # A rename alone would replace an empty folder without a word.
    if not (target.is_symlink() or target.exists()):
        try:
            folder.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return
    raise FileExistsError(errno.EEXIST, "it exists", str(target))
