"""P13: the last lines of a log begin at the head of a record, and logs merge in true order in every time zone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.runtime.logs.chain import rotate
from deploy.runtime.logs.history import last_lines, last_records
from deploy.runtime.logs.stamps import stamp_of
from deploy.runtime.logs.view import merged

HEAD = "[2026-11-21T03:00:00.000Z] [ERROR] trading_api.app: failed"
REACH = 500


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def test_P13_a_head_out_of_reach_leaves_the_lines_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "core-0.log"
    log.write_text("\n".join([HEAD, *(f"  {number}" for number in range(REACH + 20))]) + "\n")
    assert last_lines(log, 20) == [f"  {number}" for number in range(REACH, REACH + 20)]
    assert last_lines(log, 21)[0] == HEAD


def test_P13_the_head_is_found_in_the_backup(tmp_path: Path) -> None:
    log = tmp_path / "core-0.log"
    log.write_text(f"[2026-11-21T02:00:00Z] [INFO] x: up\n{HEAD}\n  1\n")
    rotate(log, 3)
    log.write_text("  2\n  3")
    assert last_lines(log, 2) == [HEAD, "  1", "  2", "  3"]


@given(stamped=st.lists(st.booleans(), max_size=60), count=st.integers(0, 70))
def test_P13_the_last_records_are_a_suffix_that_begins_at_the_nearest_head(stamped: list[bool], count: int) -> None:
    lines = [f"{HEAD} {index}" if head else f"  {index}" for index, head in enumerate(stamped)]
    shown = last_records(lines, count)
    assert shown == lines[len(lines) - len(shown) :]
    assert len(shown) >= min(count, len(lines))
    extra = shown[: max(0, len(shown) - count)] if count else shown
    assert [stamp_of(line) is not None for line in extra] == [True, *(False for _ in extra[1:])][: len(extra)]
    if shown and len(shown) < len(lines) and any(stamped[: len(lines) - len(shown)]):
        assert stamp_of(shown[0]) is not None


@pytest.mark.parametrize(
    ("zone", "clock"),
    [("UTC0", "2026-11-21 03"), ("EAST-9", "2026-11-21 12"), ("WEST+5:30", "2026-11-20 21")],
    indirect=["zone"],
)
def test_P13_supervisord_s_local_stamps_merge_in_true_order(tmp_path: Path, zone: str, clock: str) -> None:
    minutes = "31" if zone.endswith(":30") else "01"
    own = [f"{clock}:{minutes}:20,{milliseconds} INFO spawned" for milliseconds in (485, 487)]
    servers = [f"[2026-11-21T03:01:20.{milliseconds}Z] [INFO] x: up" for milliseconds in (484, 486, 488)]
    (tmp_path / "supervisord.log").write_text("\n".join(own) + "\n")
    (tmp_path / "broker-0.log").write_text("\n".join(servers) + "\n")
    shown = [line for _, line in merged(sorted(tmp_path.iterdir()), 10)]
    assert shown == [servers[0], own[0], servers[1], own[1], servers[2]]
