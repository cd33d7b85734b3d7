"""What a generation reports to its parent (M04)."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.server.reload.report import Failed, Ready, Report, parse_report, send_report


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
