"""Why a process died, from its log (P04, P09)."""

from pathlib import Path

import pytest

from deploy.listeners.reason import last_reason, tail_text

_TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    boom()\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ""),
        ("\n\n", ""),
        (f"starting\n{_TRACEBACK}ValueError: no such port\n", "ValueError: no such port"),
        (
            f"{_TRACEBACK}trading_api.shared.errors.ModuleError: broker: x\n\n",
            "trading_api.shared.errors.ModuleError: broker: x",
        ),
        ("[2026-01-01T00:00:00Z] [ERROR] a.b: port 8001 is taken\nbye\n", "a.b: port 8001 is taken"),
        ("[2026-01-01T00:00:00Z] [INFO] a: fine\nlast words\n", "last words"),
        ("KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("Errors were found: 3\nnothing special\n", "nothing special"),
    ],
)
def test_P09_the_reason_is_the_last_exception_or_error_else_the_last_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    log = tmp_path / "x.log"
    log.write_text(text)
    assert last_reason(log) == reason


def test_P09_a_reason_is_bounded_and_a_missing_log_has_none(tmp_path: Path) -> None:
    assert last_reason(tmp_path / "missing.log") == ""
    log = tmp_path / "x.log"
    log.write_text("ValueError: " + "x" * 5000)
    assert len(last_reason(log)) == 300


def test_P04_only_the_end_of_a_large_log_is_read_and_any_bytes_will_do(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"old\n" + b"\xff" * 100_000 + b"\nnew\n")
    assert len(tail_text(log)) <= 16 * 1024
    assert tail_text(log).endswith("\nnew\n")
    assert last_reason(log) == "new"
