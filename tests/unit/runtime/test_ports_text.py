"""P07: what is said about a foreign process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.runtime.command_text import MAX_LENGTH, command_text
from deploy.runtime.ports import BusyPort, Trouble


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["python", "-m", "http.server", "8001"], "python -m http.server 8001"),
        (["app", "--password", "hunter2", "-v"], "app --password *** -v"),
        (["app", "--password=hunter2"], "app --password=***"),
        (["app", "DB_PASSWORD=hunter2;x"], "app DB_PASSWORD=***;x"),
        (["app", "--api-key=hunter2", "--token", "hunter2"], "app --api-key=*** --token ***"),
        (["curl", "-H", "Authorization: Bearer hunter2"], "curl -H Authorization: ***"),
        (["psql", "postgresql://me:hunter2@host/db"], "psql postgresql://me:***@host/db"),
        (["curl", "http://h/?access_token=hunter2&page=3"], "curl http://h/?access_token=***&page=3"),
        (["app", "\x1b]0;owned\x07"], "app ?]0;owned?"),
        ([], ""),
    ],
)
def test_P07_secrets_in_foreign_command_lines_are_masked(argv: list[str], shown: str) -> None:
    assert command_text(argv) == shown


def test_P07_a_secret_is_masked_before_the_line_is_cut() -> None:
    text = command_text(["x" * 90, "--password=" + "s" * 400])
    assert "sss" not in text


@given(st.lists(st.text(max_size=200), max_size=100))
def test_P07_command_lines_are_bounded_and_printable(argv: list[str]) -> None:
    text = command_text(argv)
    assert len(text) <= MAX_LENGTH
    assert text.isprintable()


@pytest.mark.parametrize(
    ("port", "text"),
    [
        (BusyPort("h", 8001, 42, "python x"), "8001 is held by pid 42 (python x)"),
        (BusyPort("h", 8001, 42, "python x", "mallory"), "8001 is held by pid 42 of user mallory (python x)"),
        (BusyPort("h", 8001, user="mallory"), "8001 is held by a process of user mallory, not visible to you"),
        (BusyPort("h", 8001), "8001 is held by a process of another user, not visible to you"),
        (BusyPort("h", 80, trouble=Trouble.PRIVILEGED), "80 needs administrator rights"),
        (BusyPort("10.9.8.7", 80, trouble=Trouble.NOT_LOCAL), "80: 10.9.8.7 is no address of this machine"),
    ],
)
def test_P07_a_busy_port_says_who_and_what_to_do(port: BusyPort, text: str) -> None:
    assert str(port).startswith(text)
