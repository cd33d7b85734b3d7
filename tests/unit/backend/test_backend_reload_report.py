"""What a generation reports to its parent (M04)."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.server.reload.generation import failure_of
from trading_api.server.reload.report import Failed, Ready, Report, parse_report, send_report
from trading_api.shared.errors import ModuleError, Place
from trading_api.shared.ws.generation.problem import DeclarationError, Problem, StaleRoutersError


@pytest.mark.parametrize("text", [b"", b'{"ready": tr', b"\xff"])
def test_M04_half_a_report_is_none(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_report(text)


@given(report=st.builds(Ready, st.lists(st.text(max_size=9)).map(tuple)) | st.builds(Failed, st.text(), st.text()))
def test_M04_a_report_arrives_as_it_was_sent(report: Report) -> None:
    reader, writer = os.pipe()
    send_report(writer, report)
    with os.fdopen(reader, "rb") as pipe:
        assert parse_report(pipe.read()) == report


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


def test_M04_a_mistake_in_a_declaration_is_told_in_one_line_without_a_traceback() -> None:
    problems = [
        Problem("ws/v1/__init__.py", 3, 9, "no such name: Ecko", "Echo?"),
        Problem("ws/v1/__init__.py", 5, 1, "x"),
    ]
    found = failure_of(raised(DeclarationError("shop", problems), NameError("Ecko")))
    assert found == Failed(
        "module 'shop': its WebSocket routers cannot be generated: "
        "ws/v1/__init__.py:3:9: no such name: Ecko; Echo?; ws/v1/__init__.py:5:1: x",
        "",
    )


def test_M04_what_no_code_of_a_module_raised_has_no_traceback() -> None:
    stale = raised(StaleRoutersError("shop", Path("ws_generated")))
    assert failure_of(stale) == Failed(str(stale), "")


def test_M04_what_code_raised_has_its_traceback() -> None:
    cause = raised(ZeroDivisionError("7"))
    for error in (raised(ModuleError("shop", Place("shop/api/v1.py", 7), "ZeroDivisionError"), cause), cause):
        found = failure_of(error)
        assert found.traceback.startswith("Traceback (most recent call last):")
        assert found.traceback.endswith("ZeroDivisionError: 7\n")
        assert "\n" not in found.reason
