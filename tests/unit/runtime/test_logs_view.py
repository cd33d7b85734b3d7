"""P13: what `backend-manager logs` shows, and `logs-clean`."""

import io
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.runtime.logs.chain import rotate
from deploy.runtime.logs.clean import clean
from deploy.runtime.logs.sources import UnknownProcessError, nginx_logs, process_logs, select
from deploy.runtime.logs.stamps import stamp_of
from deploy.runtime.logs.view import follow, formatter, last_lines, merged, show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "broker-0.log"


def write(path: Path, *lines: str) -> Path:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def test_P13_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.log", "x") for name in ("broker-0", "core-0")]
    with pytest.raises(UnknownProcessError, match=r"'brokr'; there are logs of: broker-0, core-0"):
        select(paths, ["brokr"])


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], ["broker-0", "broker-1", "core-0", "my-broker-0"]),
        (["broker"], ["broker-0", "broker-1"]),
        (["broker:*"], ["broker-0", "broker-1"]),
        (["broker:broker-1", "core-0"], ["broker-1", "core-0"]),
    ],
)
def test_P12_names_filter_as_supervisor_writes_them(tmp_path: Path, names: list[str], chosen: list[str]) -> None:
    paths = [write(tmp_path / f"{name}.log", "x") for name in ("broker-0", "broker-1", "core-0", "my-broker-0")]
    assert [path.stem for path in select(paths, names)] == chosen


def test_P13_sources_of_an_absent_folder_are_none(tmp_path: Path) -> None:
    assert process_logs(tmp_path / "none") == []
    assert nginx_logs(tmp_path / "none") == []


def test_P13_a_log_between_two_renames_is_still_listed(tmp_path: Path) -> None:
    rotate(write(tmp_path / "core-0.log", "x"), 2)
    assert process_logs(tmp_path) == [tmp_path / "core-0.log"]


def test_P13_last_lines_of_an_absent_log_are_none(log: Path) -> None:
    assert last_lines(log, 5) == []


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, ["e"]), (3, ["c", "d", "e"]), (9, ["a", "b", "c", "d", "e"])]
)
def test_P13_last_lines_go_on_into_the_backups(log: Path, count: int, expected: list[str]) -> None:
    for text in ("a\nb\n", "c\n", "d\ne"):
        log.write_text(text)
        if text != "d\ne":
            rotate(log, 5)
    assert last_lines(log, count) == expected


def test_P13_last_lines_of_a_large_log_are_exact(log: Path) -> None:
    write(log, *(f"line {number} {'x' * (number % 300)}" for number in range(5000)))
    assert last_lines(log, 1000) == log.read_text().splitlines()[-1000:]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[2026-11-21T02:25:33.123Z] [INFO] app: up", datetime(2026, 11, 21, 2, 25, 33, 123000, UTC)),
        ("[2026-11-21 02:25:33] [INFO] app: up", datetime(2026, 11, 21, 2, 25, 33, 0, UTC)),
        ("[2026-11-21T04:25:33.5+02:00] [INFO] app: up", datetime(2026, 11, 21, 2, 25, 33, 500000, UTC)),
        ('{"time":"2026-11-21T02:25:33+00:00","status":200}', datetime(2026, 11, 21, 2, 25, 33, 0, UTC)),
        ("2026-11-21 02:25:33,123 INFO spawned", datetime(2026, 11, 21, 2, 25, 33, 123000).astimezone(UTC)),
        ("2026/11/21 02:25:33 [error] 7#7: *1 x", datetime(2026, 11, 21, 2, 25, 33).astimezone(UTC)),
        ("[7] 2026/11/21 02:25:33.25 [INF] x", datetime(2026, 11, 21, 2, 25, 33, 250000).astimezone(UTC)),
        ("[2026-13-41T02:25:33Z] no such day", None),
        ("ValueError: bad 2026-11-21T02:25:33Z", None),
        ('  File "x.py", line 3', None),
        ("", None),
    ],
)
def test_P13_stamps_of_every_program_in_the_tree(line: str, expected: datetime | None) -> None:
    assert stamp_of(line) == expected


def test_P13_merged_orders_by_time_and_keeps_tracebacks_together(tmp_path: Path) -> None:
    core = write(
        tmp_path / "core-0.log", "[2026-01-01T00:00:01Z] a", "Traceback:", "  boom", "[2026-01-01T00:00:04Z] d"
    )
    broker = write(tmp_path / "broker-0.log", "loose", "[2026-01-01T00:00:02Z] b", "[2026-01-01T00:00:03Z] c")
    assert merged([core, broker], 10) == [
        ("core-0", "[2026-01-01T00:00:01Z] a"),
        ("core-0", "Traceback:"),
        ("core-0", "  boom"),
        ("broker-0", "loose"),
        ("broker-0", "[2026-01-01T00:00:02Z] b"),
        ("broker-0", "[2026-01-01T00:00:03Z] c"),
        ("core-0", "[2026-01-01T00:00:04Z] d"),
    ]


def test_P13_a_clock_that_goes_back_does_not_reorder_a_log(log: Path) -> None:
    lines = ["[2026-01-01T00:00:09Z] a", "[2026-01-01T00:00:01Z] b", "[2026-01-01T00:00:05Z] c"]
    assert [line for _, line in merged([write(log, *lines)], 10)] == lines


def test_P13_follow_joins_history_and_news_over_a_rotation_and_a_new_log(tmp_path: Path, log: Path) -> None:
    write(log, "old", "recent")
    seen: list[tuple[str, str]] = []
    script: Iterator[None] = _later(log, tmp_path / "core-0.log")
    follow(
        lambda: process_logs(tmp_path),
        lambda name, line: seen.append((name, line)),
        lambda: next(script, "end") == "end",
        lines=1,
        pause=0,
    )
    assert seen == [("broker-0", "recent"), ("broker-0", "new"), ("broker-0", "newer"), ("core-0", "hello")]


def _later(log: Path, other: Path) -> Iterator[None]:
    write(log, "new")
    yield
    rotate(log, 3)
    write(log, "newer")
    yield
    write(other, "hello")
    yield


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_P13_colours_only_where_they_are_wanted(environ: dict[str, str], coloured: bool) -> None:
    line = formatter(Terminal(), environ)("core-0", "hello")
    assert ("\x1b[" in line) is coloured
    assert "\x1b" not in formatter(io.StringIO(), environ)("core-0", "hello")
    assert line == formatter(Terminal(), environ)("core-0", "hello")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_P13_log_lines_give_no_orders_to_the_terminal(stream: io.StringIO) -> None:
    line = formatter(stream, {"NO_COLOR": "1"})("core-0", "GET /\x1b]0;owned\x07\r\tx")
    assert line == "core-0               >> GET /\\x1b]0;owned\\x07\\x0d\tx"


def test_P13_json_is_one_object_a_line() -> None:
    line = formatter(io.StringIO(), {}, as_json=True)("core-0", 'a "quoted"\x1b line')
    assert "\n" not in line
    assert json.loads(line) == {"process": "core-0", "line": 'a "quoted"\x1b line'}


def test_P13_show_prints_what_there_is(log: Path) -> None:
    write(log, "one", "two")
    stream = io.StringIO()
    show(lambda: [log], stream, formatter(stream, {}), lines=1, following=False)
    assert stream.getvalue() == "broker-0             >> two\n"


@pytest.mark.parametrize("following", [False, True])
def test_P13_a_reader_that_has_gone_ends_the_view_quietly(log: Path, following: bool) -> None:
    write(log, *("x" * 1000 for _ in range(300)))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        show(lambda: [log], stream, formatter(stream, {}), lines=300, following=following)


def test_P13_ctrl_c_ends_the_view_quietly(log: Path) -> None:
    def interrupted() -> Sequence[Path]:
        raise KeyboardInterrupt

    stream = io.StringIO()
    show(interrupted, stream, formatter(stream, {}), lines=1, following=True)
    assert stream.getvalue() == ""


def test_P13_clean_truncates_and_keeps_every_log(tmp_path: Path, log: Path) -> None:
    rotate(write(log, "old"), 2)
    write(log, "new")
    write(tmp_path / "nginx-access.log", "{}")
    (tmp_path / "empty.log").touch()
    write(tmp_path / "notes.txt", "mine")
    inodes = {path: path.stat().st_ino for path in tmp_path.iterdir()}
    assert [path.name for path in clean(tmp_path)] == ["broker-0.log", "broker-0.log.1", "nginx-access.log"]
    assert {path: path.stat().st_ino for path in tmp_path.iterdir()} == inodes
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_size] == ["notes.txt"]


def test_P13_clean_touches_nothing_when_supervisord_cannot_reopen(tmp_path: Path, log: Path) -> None:
    def refuse() -> None:
        raise OSError("stalled")

    write(log, "kept")
    with pytest.raises(OSError, match="stalled"):
        clean(tmp_path, refuse)
    assert log.read_text() == "kept\n"


def test_P13_clean_does_not_follow_links_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    outside = write(tmp_path / "outside.log", "kept")
    (folder / "trap.log").symlink_to(outside)
    assert clean(folder) == []
    assert outside.read_text() == "kept\n"


def test_P13_cleaning_an_absent_folder_is_fine(tmp_path: Path) -> None:
    assert clean(tmp_path / "none") == []


def test_P13_a_fresh_traceback_comes_last_and_with_its_head(tmp_path: Path) -> None:
    (tmp_path / "supervisord.log").write_text("2026-11-21 01:00:00,100 INFO old\n" * 5)
    head = "[2026-11-23T02:00:00.000Z] [ERROR] trading_api.server.reload: module 'broker' cannot be served"
    trace = ["Traceback (most recent call last):", *("  a frame" for _ in range(30)), "SyntaxError: invalid syntax"]
    (tmp_path / "broker-0.log").write_text("\n".join(["[2026-11-21T01:30:00.000Z] [INFO] x: up", head, *trace]) + "\n")
    shown = merged(process_logs(tmp_path), 20)
    assert [line for name, line in shown if name == "broker-0"] == [head, *trace]
    assert shown[-1] == ("broker-0", "SyntaxError: invalid syntax")


def test_P13_lines_without_any_stamp_are_cut_where_they_are_asked_to(log: Path) -> None:
    log.write_text("".join(f"plain {number}\n" for number in range(2000)))
    assert last_lines(log, 3) == ["plain 1997", "plain 1998", "plain 1999"]


def test_P13_following_joins_a_record_at_its_head(log: Path) -> None:
    log.write_text("[2026-11-21T01:00:00Z] [ERROR] x: head\n  frame 1\n  frame 2\n")
    seen: list[str] = []
    follow(lambda: [log], lambda _name, line: seen.append(line), lambda: bool(seen), lines=1)
    assert seen == ["[2026-11-21T01:00:00Z] [ERROR] x: head", "  frame 1", "  frame 2"]
