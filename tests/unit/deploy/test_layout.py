"""Where everything of a deployment lives (deploy.md: below `.local`, and a socket that the kernel takes)."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.layout import Layout, PathRefused, layout_of

_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40)


@given(st.lists(_NAMES, min_size=1, max_size=12))
def test_P14_the_socket_path_is_never_longer_than_a_socket_may_be(parts: list[str]) -> None:
    layout = Layout(Path("/", *parts, "dev-config.yaml"), Path("/run/user/65534"))
    # supervisord binds `<path>.<pid>` first; macOS takes 104 bytes.
    assert len(os.fsencode(layout.socket)) + len(".4194304") < 104
    assert layout.socket.parent in layout.folders()


def test_P14_a_long_path_has_a_socket_of_its_own() -> None:
    sockets = {Layout(Path("/", "d" * 120, name, "c.yaml"), Path("/tmp")).socket for name in ("a", "b")}
    assert len(sockets) == 2
    assert all(socket.parent.name.startswith(f"backend-{os.getuid()}-") for socket in sockets)


def test_P14_everything_but_a_long_socket_is_below_local() -> None:
    layout = Layout(Path("/srv/p/dev-config.yaml"), Path("/tmp"))
    assert layout.socket == Path("/srv/p/.local/run/supervisor.sock")
    assert all(folder.is_relative_to("/srv/p/.local") for folder in layout.folders())
    assert layout.client_conf == Path("/srv/p/supervisord.conf")


def test_P14_folders_come_parents_first() -> None:
    folders = Layout(Path("/srv/p/c.yaml"), Path("/tmp")).folders()
    assert all(
        folders.index(folder.parent) < folders.index(folder) for folder in folders[1:] if folder.parent in folders
    )


def test_C07_the_configuration_may_be_named_relative_to_the_working_folder() -> None:
    assert layout_of(Path("deep/../x.yaml"), {}).config == Path.cwd() / "x.yaml"


def test_P14_a_runtime_folder_that_is_not_there_is_not_used(tmp_path: Path) -> None:
    config = Path("/", "d" * 120, "c.yaml")
    assert layout_of(config, {"XDG_RUNTIME_DIR": str(tmp_path)}).socket.is_relative_to(tmp_path)
    temporary = tempfile.gettempdir()
    assert layout_of(config, {"XDG_RUNTIME_DIR": str(tmp_path / "no")}).socket.is_relative_to(temporary)
    assert layout_of(config, {}).socket.is_relative_to(temporary)


@pytest.mark.parametrize("name", ["line\nbreak", "bell\x07", os.fsdecode(b"latin-\xe9")])
def test_N01_P01_a_path_that_no_file_can_hold_is_refused_by_name(name: str) -> None:
    with pytest.raises(PathRefused, match="rename the folder"):
        layout_of(Path("/srv") / name / "dev-config.yaml", {})
