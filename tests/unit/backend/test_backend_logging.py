"""The log format (P13)."""

import logging
import re
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.shared.logging import LogFormatter, configure_logging, log_traceback
from trading_api.shared.request_id import request_id_var

LINE = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] \[[A-Z]+\] [\w.]+: ")


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("trading_api.x", logging.INFO, "x.py", 1, message, (), info)
    made.created, made.msecs = 1795227199.9996, 999.6
    return made


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root, names = logging.getLogger(), ("uvicorn", "watchfiles", "asyncio")
    before = root.handlers[:], root.level, [logging.getLogger(name).level for name in names]
    yield
    root.handlers[:], root.level = before[0], before[1]
    logging.captureWarnings(False)
    for name, level in zip(names, before[2], strict=True):
        logging.getLogger(name).setLevel(level)


def test_P13_a_message_cannot_forge_a_line() -> None:
    text = LogFormatter().format(record("a\r\n[2026-01-01T00:00:00.000Z] [INFO] x: forged \x1b[31m\x00\x85\u2028"))
    assert len(text.splitlines()) == 1
    assert r"a\r\n[2026" in text
    assert r"\x1b[31m\x00\x85\u2028" in text


def test_P13_a_traceback_keeps_its_lines_but_cannot_forge_one() -> None:
    try:
        raise ValueError("bad\n[2026-01-01T00:00:00.000Z] [INFO] x: forged\x1b[31m")
    except ValueError as error:
        lines = LogFormatter().format(record("failed", error)).split("\n")
    assert lines[1] == "Traceback (most recent call last):"
    assert [line for line in lines if LINE.match(line)] == lines[:1]
    assert "\x1b" not in "\n".join(lines)


@given(message=st.text(), detail=st.text())
def test_P13_one_record_is_one_line_whatever_it_says(message: str, detail: str) -> None:
    try:
        raise ValueError(detail)
    except ValueError as error:
        text = LogFormatter().format(record(message, error))
    assert sum(1 for line in text.splitlines() if LINE.match(line)) == 1
    assert LogFormatter().format(record(message)).isprintable() or not message.isprintable()


def test_P13_format_is_time_level_logger_message() -> None:
    assert LogFormatter().format(record("hello")) == "[2026-11-21T02:13:19.999Z] [INFO] trading_api.x: hello"


def test_P13_request_id_is_added_while_there_is_one() -> None:
    token = request_id_var.set("abc")
    try:
        assert LogFormatter().format(record("hello")).endswith("trading_api.x: hello request_id=abc")
    finally:
        request_id_var.reset(token)


def test_P13_uvicorn_and_warnings_use_the_same_format(
    restored_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info")
    logging.getLogger("uvicorn.error").warning("from %s", "uvicorn")
    logging.getLogger("uvicorn.error").info("Started server process [1]")
    logging.getLogger("trading_api.x").debug("too fine")
    sys.stdout.flush()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert LINE.match(lines[0])
    assert lines[0].endswith("[WARNING] uvicorn.error: from uvicorn")


def test_P13_debug_shows_what_uvicorn_says(restored_logging: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug")
    logging.getLogger("uvicorn.error").info("Started")
    assert "uvicorn.error: Started" in capsys.readouterr().out


def test_P13_configuring_twice_does_not_double_lines(
    restored_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        configure_logging("info")
    logging.getLogger("trading_api.x").info("once")
    assert capsys.readouterr().out.count("once") == 1


def test_P13_traceback_of_another_process_follows_its_line(caplog: pytest.LogCaptureFixture) -> None:
    log_traceback(logging.getLogger("trading_api.x"), "100% broken", "Traceback\n  here")
    text = LogFormatter().format(caplog.records[0])
    assert text.split("\n")[1:] == ["Traceback", "  here"]
    assert text.split("\n")[0].endswith("[ERROR] trading_api.x: 100% broken")
