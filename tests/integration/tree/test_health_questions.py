"""One question to a real listener, in supervisord's real poll loop (P09): whatever it answers, or does not."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import TypeVar

import pytest
import supervisor.events as events
from supervisor.poller import PollPoller
from supervisor.states import SupervisorStates
from supervisor.supervisord import Supervisor
from support.waiting import wait_until

from deploy.listeners.health_question import Question, Verdict
from deploy.listeners.health_rules import Target

T = TypeVar("T")
PATH = "/api/v1/core/health"
GREETING = b'INFO {"server_id":"N"} \r\n'


class Loop:
    """supervisord's own `runforever`, a round at a time, with nothing in it but questions."""

    def __init__(self) -> None:
        self.map: dict[int, object] = {}
        logger = SimpleNamespace(blather=lambda *_, **__: None)
        self.poller = PollPoller(SimpleNamespace(logger=logger))
        self.options = SimpleNamespace(
            mood=SupervisorStates.RUNNING,
            test=True,
            poller=self.poller,
            logger=logger,
            get_socket_map=lambda: self.map,
            waitpid=lambda: (None, None),
            get_signal=lambda: None,
        )
        self._supervisord = Supervisor(self.options)
        self._supervisord.process_groups = {}

    def round(self) -> None:
        self._supervisord.runforever()

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Go round until `condition` holds."""

        def held() -> T:
            self.round()
            return condition()

        return wait_until(held, timeout=60, what=what, step=0)

    def ask(self, target: Target, timeout: float = 60.0) -> Question:
        question = Question(target, time.monotonic(), timeout)
        self.map[question.fileno()] = question
        return question

    def end(self, question: Question) -> Verdict:
        """What became of the question."""
        verdict = self.until(lambda: question.verdict(time.monotonic()), "a verdict")
        assert verdict is not None
        return verdict

    def assert_forgotten(self, question: Question) -> None:
        question.withdraw(self.map, self.poller)
        assert question.fileno() == -1
        assert question not in self.map.values()
        assert self.poller.readables <= set(self.map)
        assert self.poller.writables == set()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    """A loop whose poll ends at once where there is nothing to wait for."""
    events.clear()
    made = Loop()
    # A round of an idle loop lasts a second; nothing here depends on that.
    poll = made.poller.poll
    monkeypatch.setattr(made.poller, "poll", lambda _timeout: poll(0.02))
    yield made
    made.poller.close()
    events.clear()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.setblocking(False)
        yield made


def _target(listener: socket.socket, path: str | None = PATH) -> Target:
    return Target("127.0.0.1", listener.getsockname()[1], path, ())


def _connection(loop: Loop, listener: socket.socket, stack: ExitStack) -> socket.socket:
    """The next connection."""
    accepted: list[socket.socket] = []

    def is_there() -> bool:
        with suppress(BlockingIOError):
            accepted.append(listener.accept()[0])
        return bool(accepted)

    loop.until(is_there, "a connection")
    accepted[0].setblocking(False)
    return stack.enter_context(accepted[0])


def _request(loop: Loop, listener: socket.socket, stack: ExitStack) -> tuple[socket.socket, bytes]:
    """The next connection, and the request that came on it."""
    connection, received = _connection(loop, listener, stack), bytearray()

    def is_whole() -> bool:
        with suppress(BlockingIOError):
            received.extend(connection.recv(4096))
        return received.endswith(b"\r\n\r\n")

    loop.until(is_whole, "the whole request")
    return connection, bytes(received)


@pytest.mark.parametrize(
    ("pieces", "verdict"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"], Verdict.ANSWERED),
        ([b"HTTP/1.1 503 Service Unavailable\r\n\r\n"], Verdict.ANSWERED),
        ([b"HTTP/1.0 404 Not Found\r\n"], Verdict.ANSWERED),
        ([b"HT", b"TP/1", b".1 20", b"0 OK\r\n"], Verdict.ANSWERED),
        ([b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000], Verdict.ANSWERED),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], Verdict.SILENT),
        ([b"HTTP/1.1 abc"], Verdict.SILENT),
        ([b"\0" * 1_000_000], Verdict.SILENT),
        ([b"INFO {}\r\n and more"], Verdict.SILENT),
        ([b"HTTP/1.1 2", None], Verdict.SILENT),
        ([None], Verdict.SILENT),
    ],
    ids=["200", "503", "404", "pieces", "endless", "ssh", "no-number", "zeros", "greeting", "half", "closed"],
)
def test_P09_what_begins_as_an_http_answer_is_an_answer(
    loop: Loop, listener: socket.socket, pieces: list[bytes | None], verdict: Verdict
) -> None:
    question = loop.ask(_target(listener))
    with ExitStack() as stack:
        connection, request = _request(loop, listener, stack)
        assert request.startswith(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{listener.getsockname()[1]}\r\n".encode())
        assert b"\r\nConnection: close\r\n" in request
        for piece in pieces:
            if piece is None:
                connection.close()
            else:
                connection.send(piece)
                loop.round()
        assert loop.end(question) is verdict
        loop.assert_forgotten(question)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [(GREETING, Verdict.ANSWERED), (b"HTTP/1.1 400 Bad Request\r\n", Verdict.SILENT), (b"", Verdict.SILENT)],
    ids=["greets", "http", "nothing"],
)
def test_P09_the_bus_answers_by_its_greeting(
    loop: Loop, listener: socket.socket, said: bytes, verdict: Verdict
) -> None:
    question = loop.ask(_target(listener, None), timeout=60 if said else 0.1)
    with ExitStack() as stack:
        _connection(loop, listener, stack).send(said)
        assert loop.end(question) is verdict
    loop.assert_forgotten(question)


def test_P09_nobody_there_and_a_broken_connection_are_no_answer(loop: Loop, listener: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = _target(gone)
    question = loop.ask(nobody)
    assert loop.end(question) is Verdict.SILENT
    loop.assert_forgotten(question)
    question = loop.ask(_target(listener))
    with ExitStack() as stack:
        connection, _ = _request(loop, listener, stack)
        # Closed with this, a connection ends by a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
        assert loop.end(question) is Verdict.SILENT
    loop.assert_forgotten(question)


def test_P09_silence_ends_at_the_deadline_and_not_before(loop: Loop, listener: socket.socket) -> None:
    # A stopped process: the kernel takes the connection and the request for it.
    question = loop.ask(_target(listener))
    for _ in range(5):
        loop.round()
    assert question.verdict(question.deadline - 0.001) is None
    assert not question.writable(), "the request is sent"
    assert question.verdict(question.deadline) is Verdict.SILENT
    assert not question.readable()
    loop.assert_forgotten(question)


def test_P09_an_answer_that_waits_to_be_read_at_the_deadline_counts(loop: Loop, listener: socket.socket) -> None:
    question = loop.ask(_target(listener))
    with ExitStack() as stack:
        connection, _ = _request(loop, listener, stack)
        connection.send(b"HTTP/1.1 200 OK\r\n")
        wait_until(lambda: select.select([question], [], [], 0)[0], timeout=60, what="the answer to arrive")
        assert question.verdict(question.deadline) is Verdict.ANSWERED
    loop.assert_forgotten(question)


def test_P09_a_question_that_the_loop_never_put_says_nothing(loop: Loop, listener: socket.socket) -> None:
    question = loop.ask(_target(listener))
    wait_until(lambda: select.select([], [question], [], 0)[1], timeout=60, what="the kernel to connect")
    assert question.verdict(question.deadline) is Verdict.UNKNOWN
    loop.assert_forgotten(question)


def test_P09_an_address_that_this_machine_cannot_reach_says_nothing(loop: Loop) -> None:
    # The kernel refuses to connect to it: nothing that a process could have done.
    question = loop.ask(Target("255.255.255.255", 9, PATH, ()))
    assert loop.end(question) is Verdict.UNKNOWN
    loop.assert_forgotten(question)


@pytest.mark.parametrize("when", ["connecting", "asked", "over"])
def test_P09_a_withdrawn_question_leaves_the_loop_and_its_number_to_others(
    loop: Loop, listener: socket.socket, when: str
) -> None:
    question = loop.ask(_target(listener))
    number = question.fileno()
    with ExitStack() as stack:
        if when != "connecting":
            connection, _ = _request(loop, listener, stack)
            if when == "over":
                connection.send(b"HTTP/1.1 200 OK\r\n")
                assert loop.end(question) is Verdict.ANSWERED
                assert number not in loop.poller.readables | loop.poller.writables
        question.withdraw(loop.map, loop.poller)
        other = stack.enter_context(_Reader(number))
        assert other.fileno() == number, "the kernel gives the lowest free number"
        loop.map[number] = other
        question.withdraw(loop.map, loop.poller)
        for handle in (question.handle_read_event, question.handle_write_event, question.handle_error):
            handle()
        assert loop.map[number] is other, "a second time changes nothing"
        other.peer.send(b"for the other")
        loop.until(lambda: other.received == b"for the other", "the other to read")


def test_P09_the_loop_stays_quiet_after_all_of_it(loop: Loop, listener: socket.socket) -> None:
    """No number stays in the poller for which poll would return at once, again and again."""
    questions = [loop.ask(_target(listener)) for _ in range(3)]
    loop.round()
    assert questions[0].verdict(questions[0].deadline) is not None
    for question in questions:
        question.withdraw(loop.map, loop.poller)
    loop.round()
    assert (loop.poller.readables, loop.poller.writables) == (set(), set())
    assert loop.poller._poller.poll(0) == []


class _Reader:
    """Somebody else's dispatcher, that gets the number of a socket that was closed before."""

    def __init__(self, number: int) -> None:
        ends = socket.socketpair()
        # One of the two took the free number; the other end is the test's.
        self._mine, self.peer = sorted(ends, key=lambda end: end.fileno() != number)
        self.received = b""

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._mine.close()
        self.peer.close()

    def fileno(self) -> int:
        return self._mine.fileno()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        self.received += self._mine.recv(100)

    def handle_error(self) -> None:
        raise AssertionError("the loop mistook it for the question")
