"""When a process counts as hung, and what is done about it (P09): on stand-ins and a clock that the test moves."""

import itertools
import json
from pathlib import Path

import pytest
import supervisor.events as events
from supervisor.states import ProcessStates, SupervisorStates
from support.health_bench import BROKER, BUS, COMMAND, CORE, Bench, Config

from deploy.listeners.health_question import Verdict
from deploy.listeners.health_rules import Target


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_P09_one_that_answers_is_left_alone_and_asked_every_interval(bench: Bench) -> None:
    bench.run(60)
    assert (bench.signals, bench.warnings) == ([], [])
    times = bench.asked(BROKER)
    assert {after - before for before, after in itertools.pairwise(times)} == {2.0}
    assert len(bench.socket_map) <= 3, "at most one question each"
    assert all(question.withdrawn for question in bench.questions[:-3])


def test_P09_one_that_is_silent_too_often_is_ended_with_its_last_words(bench: Bench) -> None:
    bench.settle()
    bench.silence(BROKER)
    bench.run(5.5, step=0.5)
    assert bench.signals == [], "two silences are not three"
    bench.run(0.5, step=0.5)
    assert bench.signals == [(100, "SIGABRT")]
    what = "GET http://127.0.0.1:8002/api/v1/core/health"
    said = f"broker:broker-0 (pid 100) did not answer {what} 3 times in 5 s: it is ended and started again"
    assert bench.warnings == [said]
    bench.run(1)
    assert bench.signals == [(100, "SIGABRT"), (100, "SIGKILL")]
    bench.run(30)
    assert len(bench.signals) == 2, "nothing more can be done"


def test_P09_the_bus_is_killed_at_once(bench: Bench) -> None:
    bench.settle()
    bench.silence(BUS)
    bench.run(10)
    assert bench.signals == [(100, "SIGKILL")]
    assert "bus (pid 100) did not answer a connection to 127.0.0.1:4222 3 times in" in bench.warnings[0]


def test_P09_one_that_ended_by_its_last_words_is_not_killed_again(bench: Bench) -> None:
    bench.settle()
    bench.silence(BROKER)
    bench.run(6)
    assert [name for _, name in bench.signals] == ["SIGABRT"]
    bench.processes[BROKER].pid = 101
    bench.run(9)
    assert len(bench.signals) == 1, "the next one has not answered yet, and may take its time"


def test_P09_an_answer_in_between_ends_the_row(bench: Bench) -> None:
    bench.settle()
    for _ in range(5):
        bench.silence(BROKER)
        bench.run(4)
        bench.verdicts.clear()
        bench.run(3)
    assert bench.signals == []


@pytest.mark.parametrize("after", ["answer", "deadline", "confirmed"])
def test_P09_silence_counts_from_the_first_answer_or_the_deadline(bench: Bench, after: str) -> None:
    bench.silence(CORE)
    bench.run(9)
    assert bench.asked(CORE)
    assert bench.signals == [], "it may still be starting"
    if after == "answer":
        bench.verdicts.clear()
        bench.run(3)
        bench.silence(CORE)
    if after == "confirmed":
        bench.watch.confirm([CORE, "nobody:nobody-0"])
    bench.run(9)
    assert bench.signals == [(100, "SIGABRT"), (100, "SIGKILL")]


def test_P09_an_old_confirmation_says_nothing_of_the_next_pid(bench: Bench) -> None:
    bench.watch.confirm([CORE])
    bench.processes[CORE].pid = 101
    bench.silence(CORE)
    bench.run(9)
    assert bench.signals == []


@pytest.mark.parametrize("state", ["STARTING", "STOPPING", "STOPPED", "BACKOFF", "EXITED", "FATAL", "UNKNOWN"])
def test_P09_only_what_runs_is_asked(bench: Bench, state: str) -> None:
    bench.processes[BROKER].state = getattr(ProcessStates, state)
    bench.silence(BROKER)
    bench.run(40)
    assert bench.asked(BROKER) == []
    assert bench.asked(CORE)
    assert bench.signals == []


def test_P09_a_stop_between_the_last_words_and_the_end_has_its_own_grace(bench: Bench) -> None:
    bench.settle()
    bench.silence(BROKER)
    bench.run(6)
    assert bench.signals == [(100, "SIGABRT")]
    bench.processes[BROKER].state = ProcessStates.STOPPING
    bench.run(10)
    assert bench.signals == [(100, "SIGABRT")]
    assert not [question for question in bench.questions if not question.withdrawn and question.target.port == 8002]


def test_P09_a_stopped_and_started_process_begins_anew(bench: Bench) -> None:
    bench.settle()
    bench.silence(BROKER)
    bench.run(4)
    process = bench.processes[BROKER]
    process.pid, process.state = 0, ProcessStates.STOPPED
    bench.run(5)
    process.pid, process.state = 101, ProcessStates.RUNNING
    bench.run(9)
    assert bench.signals == []


def test_P09_where_supervisord_was_late_nothing_counts(bench: Bench) -> None:
    bench.settle()
    bench.silence(BROKER)
    for _ in range(20):
        bench.run(4)
        bench.run(1.6, step=1.6)
    assert bench.signals == []
    bench.run(7)
    assert bench.signals[:1] == [(100, "SIGABRT")], "on time again"


def test_P09_a_question_that_could_not_be_put_does_not_count(bench: Bench) -> None:
    bench.settle()
    bench.verdicts[8002] = Verdict.UNKNOWN
    bench.run(60)
    assert bench.signals == []
    bench.silence(BROKER)
    bench.run(4)
    bench.verdicts[8002] = Verdict.UNKNOWN
    bench.run(2)
    bench.silence(BROKER)
    bench.run(4)
    assert bench.signals == [], "counting starts anew"


def test_P09_a_changed_endpoint_is_not_held_against_who_still_has_the_old_one(bench: Bench) -> None:
    bench.settle()
    bench.verdicts[9002] = Verdict.SILENT
    bench.apply(broker=9002)
    bench.run(60)
    assert bench.signals == [], "its command is another: it is not the process that was planned"
    assert 9002 not in {question.target.port for question in bench.questions}
    process = bench.processes[BROKER]
    process.config, process.pid = Config(COMMAND.format(port=9002)), 101
    bench.run(8)
    assert 9002 in {question.target.port for question in bench.questions}


def test_P09_a_bus_whose_port_changed_is_judged_from_its_first_answer_there(bench: Bench) -> None:
    bench.settle()
    bench.verdicts[4333] = Verdict.SILENT
    bench.apply(bus=4333)
    bench.run(60)
    assert bench.signals == []
    bench.verdicts.clear()
    bench.run(4)
    bench.verdicts[4333] = Verdict.SILENT
    bench.run(9)
    assert bench.signals == [(100, "SIGKILL")]


def test_P09_a_question_to_the_former_endpoint_says_nothing_of_the_next(bench: Bench) -> None:
    bench.settle()
    bench.silence(BUS)
    bench.run(1)
    bench.apply(bus=4333)
    # The former one answers in the same moment.
    bench.verdicts = {4333: Verdict.SILENT}
    bench.run(60)
    assert 4333 in {question.target.port for question in bench.questions}
    assert bench.signals == []


def test_P09_failures_0_asks_nobody_and_is_heeded_at_once(bench: Bench) -> None:
    bench.settle()
    bench.silence(BROKER)
    bench.run(4)
    bench.apply(failures=0)
    count = len(bench.questions)
    bench.run(60)
    assert (len(bench.questions), bench.signals) == (count, [])
    bench.apply(failures=1)
    bench.run(4)
    assert bench.signals[:1] == [(100, "SIGABRT")]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        "{}",
        "null",
        "\x00",
        "[" * 100_000,
        '{"processes": 1, "health_interval": 2}',
        '{"processes": [], "health_interval": NaN, "health_timeout": 1, "start_deadline": 1, "health_failures": 1}',
    ],
)
def test_P09_without_a_readable_plan_nobody_is_asked(bench: Bench, text: str | None) -> None:
    bench.settle()
    bench.silence(BROKER)
    count = len(bench.questions)
    if text is None:
        bench.tree_file.unlink()
    else:
        bench.tree_file.write_text(text)
    bench.run(60)
    assert (len(bench.questions), bench.signals, bench.warnings) == (count, [], [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", "db.example.com"),
        ("port", 0),
        ("port", None),
        ("port", 1 << 20),
        ("health_path", None),
        ("command", "'"),
    ],
)
def test_P09_a_plan_with_an_impossible_endpoint_asks_nobody(bench: Bench, key: str, value: object) -> None:
    document = json.loads(bench.tree_file.read_text())
    document["processes"][0][key] = value
    bench.tree_file.write_text(json.dumps(document))
    bench.run(20)
    assert (bench.questions, bench.warnings) == ([], [])


def test_P09_a_stopping_supervisord_asks_nobody(bench: Bench) -> None:
    bench.settle()
    bench.silence(BROKER)
    bench.run(2)
    bench.options.mood = SupervisorStates.SHUTDOWN
    bench.run(60)
    assert bench.signals == []
    assert bench.socket_map == {}


def test_P09_a_reload_leaves_no_question_in_the_loop(bench: Bench) -> None:
    events.clear()
    bench.watch.install()
    bench.run(1)
    assert len(bench.socket_map) == 4
    events.notify(events.SupervisorStoppingEvent())
    events.clear()
    assert list(bench.socket_map.values()) == [bench.watch]
    assert bench.watch.writable() is False


def test_P09_a_mistake_of_ours_is_told_once_a_minute_and_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(target: Target, asked: float, timeout: float) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(bench.watch, "_ask", fail)
    bench.run(30)
    assert len(bench.warnings) == 1
    assert "hung processes go unseen for 60 s" in bench.warnings[0]
    assert "Too many open files" in bench.warnings[0]
    bench.run(32)
    assert len(bench.warnings) == 2
    monkeypatch.undo()
    bench.run(61)
    bench.silence(BROKER)
    bench.run(9)
    assert bench.signals[:1] == [(100, "SIGABRT")], "it works again"


def test_P09_rounds_that_follow_closely_cost_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    look = bench.watch._look

    def counted(now: float) -> None:
        looks.append(now)
        look(now)

    monkeypatch.setattr(bench.watch, "_look", counted)
    bench.run(10, step=0.001)
    assert 10 < len(looks) < 80, "as while processes log much"
