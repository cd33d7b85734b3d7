"""P13: no line lost and none twice, whatever happens to the file."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_clock import FakeClock

from deploy.runtime.logs.chain import rotate
from deploy.runtime.logs.tail import IDLE_SECONDS, PIECE, FileTail, Position

Open = Callable[..., FileTail]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "broker-0.log"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tail_of(clock: FakeClock) -> Iterator[Open]:
    opened: list[FileTail] = []

    def open_tail(path: Path, position: Position | None = None, *, at_end: bool = False) -> FileTail:
        opened.append(FileTail(path, position, at_end=at_end, clock=clock))
        return opened[-1]

    yield open_tail
    for tail in opened:
        tail.close()


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def turn(path: Path, backups: int = 5) -> None:
    rotate(path, backups)
    path.touch()


def test_P13_a_log_that_does_not_exist_yet_is_read_once_it_does(log: Path, tail_of: Open) -> None:
    tail = tail_of(log)
    assert tail.read() == b""
    append(log, b"one\n")
    assert tail.read() == b"one\n"
    assert tail.read() == b""


def test_P13_an_unreadable_log_is_an_error_and_not_silence(tmp_path: Path, tail_of: Open) -> None:
    folder = tmp_path / "broker-0.log"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        tail_of(folder).read()


def test_P13_an_unfinished_line_waits_for_its_end(log: Path, tail_of: Open, clock: FakeClock) -> None:
    append(log, b"one\ntw")
    tail = tail_of(log)
    assert tail.read() == b"one\n"
    clock.now += IDLE_SECONDS / 2
    append(log, b"o\n")
    assert tail.read() == b"two\n"


def test_P13_an_unfinished_line_is_handed_out_when_nothing_follows(log: Path, tail_of: Open, clock: FakeClock) -> None:
    append(log, b"prompt> ")
    tail = tail_of(log)
    assert tail.read() == b""
    clock.now += IDLE_SECONDS
    assert tail.read() == b"prompt> \n"
    append(log, b"answer\n")
    assert tail.read() == b"answer\n"


def test_P13_flush_at_shutdown_moves_the_position_on(log: Path, tail_of: Open) -> None:
    append(log, b"last words")
    tail = tail_of(log)
    assert tail.read() == b""
    assert tail.flush() == b"last words\n"
    assert tail.flush() == b""
    assert tail_of(log, tail.position).read() == b""


def test_P13_several_rotations_between_two_reads(log: Path, tail_of: Open) -> None:
    append(log, b"one\n")
    tail = tail_of(log)
    assert tail.read() == b"one\n"
    append(log, b"two\n")
    for number in (b"three\n", b"four\n", b"five\n"):
        turn(log)
        append(log, number)
    assert tail.read() == b"two\nthree\nfour\nfive\n"


def test_P13_a_line_cut_in_two_by_a_rotation_is_one_line(log: Path, tail_of: Open) -> None:
    append(log, b"first ha")
    tail = tail_of(log)
    assert tail.read() == b""
    turn(log)
    append(log, b"lf\nnext\n")
    assert tail.read() == b"first half\nnext\n"


def test_P13_between_the_renames_of_a_rotation_nothing_is_skipped(log: Path, tail_of: Open) -> None:
    append(log, b"one\n")
    tail = tail_of(log)
    assert tail.read() == b"one\n"
    append(log, b"two\n")
    rotate(log, 5)
    assert tail.read() == b"two\n"
    append(log, b"three\n")
    assert tail.read() == b"three\n"


def test_P13_a_deleted_file_is_read_to_its_end_and_its_older_backups_are_not_read_again(
    log: Path, tail_of: Open
) -> None:
    append(log, b"old\n")
    turn(log)
    tail = tail_of(log)
    append(log, b"new\n")
    assert tail.read() == b"old\nnew\n"
    os.utime(f"{log}.1", ns=(1, 1))
    append(log, b"unread\n")
    log.unlink()
    append(log, b"fresh\n")
    assert tail.read() == b"unread\nfresh\n"


def test_P13_more_rotations_than_backups_while_away_lose_only_what_was_deleted(log: Path, tail_of: Open) -> None:
    append(log, b"one\n")
    tail = tail_of(log)
    assert tail.read() == b"one\n"
    position = tail.position
    tail.close()
    for number in range(5):
        turn(log, backups=2)
        append(log, b"%d\n" % number)
    assert tail_of(log, position).read() == b"2\n3\n4\n"


def test_P13_truncation_starts_again_and_keeps_the_line_that_was_begun(log: Path, tail_of: Open) -> None:
    append(log, b"one\nbegun")
    tail = tail_of(log)
    assert tail.read() == b"one\n"
    os.truncate(log, 0)
    append(log, b"two\n")
    assert tail.read() == b"begun\ntwo\n"


def test_P13_truncation_is_noticed_when_the_file_has_grown_past_the_old_end(log: Path, tail_of: Open) -> None:
    append(log, b"one\ntwo\n")
    tail = tail_of(log)
    assert tail.read() == b"one\ntwo\n"
    os.truncate(log, 0)
    append(log, b"quite other lines, and longer\n")
    assert tail.read() == b"quite other lines, and longer\n"


def test_P13_the_hole_of_a_writer_that_does_not_append_is_skipped(log: Path, tail_of: Open) -> None:
    with log.open("wb") as writer:
        writer.write(b"x" * 100_000 + b"\n")
        writer.flush()
        tail = tail_of(log)
        assert len(tail.read()) == 100_002
        os.truncate(log, 0)
        writer.write(b"after\n")
        writer.flush()
        assert log.stat().st_size > 100_000
        assert tail.read() == b"after\n"


def test_P13_a_very_long_line_comes_in_bounded_pieces_at_character_borders(log: Path, tail_of: Open) -> None:
    text = "x" + "ä€😀" * 40_000
    append(log, text.encode() + b"\nnext\n")
    *pieces, following = tail_of(log).read(1 << 24).splitlines()
    assert following == b"next"
    assert max(map(len, pieces)) <= PIECE
    assert "".join(piece.decode("utf-8") for piece in pieces) == text


def test_P13_bytes_that_are_no_utf8_pass(log: Path, tail_of: Open) -> None:
    append(log, b"\xff\xfe\x80" * 40_000 + b"\n\xc3\n")
    assert tail_of(log).read(1 << 24).replace(b"\n", b"") == b"\xff\xfe\x80" * 40_000 + b"\xc3"


def test_P13_a_position_survives_rotation(log: Path, tail_of: Open) -> None:
    append(log, b"one\ntwo\nthr")
    first = tail_of(log)
    assert first.read() == b"one\ntwo\n"
    first.close()
    append(log, b"ee\n")
    turn(log)
    append(log, b"four\n")
    assert tail_of(log, first.position).read() == b"three\nfour\n"


def test_P13_a_position_in_a_line_cut_by_a_rotation_survives_a_restart(log: Path, tail_of: Open) -> None:
    append(log, b"one\nfirst ")
    turn(log)
    append(log, b"half")
    first = tail_of(log)
    assert first.read() == b"one\n"
    first.close()
    append(log, b" and second\n")
    assert tail_of(log, first.position).read() == b"first half and second\n"


def test_P13_an_inode_number_used_again_is_not_taken_for_the_old_file(log: Path, tail_of: Open) -> None:
    append(log, b"before\n")
    first = tail_of(log)
    assert first.read() == b"before\n"
    position = first.position
    assert position is not None
    first.close()
    log.unlink()
    append(log, b"other, and longer than before\n")
    reused = Position(log.stat().st_ino, position.offset, position.check, position.modified)
    assert tail_of(log, reused).read() == b"other, and longer than before\n"


def test_P13_at_end_only_later_lines_come_and_the_unfinished_one_whole(log: Path, tail_of: Open) -> None:
    append(log, b"old\nhalf ")
    tail = tail_of(log, at_end=True)
    append(log, b"line\nnew\n")
    assert tail.read() == b"half line\nnew\n"


def test_P13_a_read_is_bounded(log: Path, tail_of: Open) -> None:
    append(log, b"0123456789abcde\n" * 10_000)
    block = tail_of(log).read(4096)
    assert 4096 <= len(block) < 8192


write = st.tuples(st.just("write"), st.binary(max_size=40).map(lambda text: text.replace(b"\0", b"\n")))
others = st.tuples(st.sampled_from(["rotate", "read", "restart"]), st.just(b""))


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.one_of(write, write, others), max_size=40))
def test_P13_any_order_of_writes_rotations_reads_and_restarts_gives_every_byte_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("law") / "core-0.log"
    path.touch()
    clock = FakeClock()
    tail = FileTail(path, clock=clock)
    # The first byte, unique in the file, keeps two files of the law from having the same content.
    written, seen = b"", b""
    for number, (action, text) in enumerate(steps):
        if action == "write":
            line = b"%d:" % number + text
            append(path, line)
            written += line
        elif action == "rotate":
            turn(path, backups=50)
        else:
            seen += tail.read()
        if action == "restart":
            tail.close()
            tail = FileTail(path, tail.position, clock=clock)
    seen += tail.read()
    ended = tail.flush()
    tail.close()
    assert seen + ended.removesuffix(b"\n") == written
