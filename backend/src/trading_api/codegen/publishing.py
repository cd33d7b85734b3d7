"""What `output_dir` holds: specs and clients of the chosen modules, ready to publish (G05)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trading_api.codegen.building import Contract
from trading_api.codegen.files import FilePlan
from trading_api.codegen.site import CLIENT, SPECS

_FOLDERS = (SPECS, CLIENT)
_OURS = '"trading-api-clients"'


class ForeignFiles(Exception):
    """The folder holds files that no earlier run wrote, and that this one would replace or remove."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: not written by an earlier run, and in the way; name an empty folder")


def plan_package(plan: FilePlan, folder: Path, contracts: Sequence[Contract], package: Mapping[str, str]) -> None:
    """Add to `plan` what the folder must hold: the contracts and the `package` of their clients.

    Raises ForeignFiles, and then nothing was added.
    """
    files = {**{f"{SPECS}/{contract.name.file}": contract.text for contract in contracts}, **package}
    for path in () if _is_ours(folder) else _in_the_way(folder, files):
        raise ForeignFiles(path)
    plan.files.update({folder / name: text for name, text in files.items()})
    plan.folders |= {folder / name for name in _FOLDERS}


def _is_ours(folder: Path) -> bool:
    """Whether an earlier run wrote the folder: its project file is written with everything else."""
    try:
        return _OURS in (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _in_the_way(folder: Path, files: Mapping[str, str]) -> Iterator[Path]:
    yield from (folder / name for name in files if (folder / name).exists())
    yield from (path for name in _FOLDERS for path in (folder / name).rglob("*") if path.is_file())
