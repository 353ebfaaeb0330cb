"""A copy over several connections, against a daemon's end in memory that keeps a log."""

from holdfast.client.attempts import FOR_EVER
from holdfast.client.copier import IN_FLIGHT, PIECE, Copier
from holdfast.client.core import Core
from holdfast.errors import DiskFull, HoldfastError, NotConnected, NotFound
from holdfast.protocol.daemon_end import DaemonEnd, RequestReceived
from holdfast.protocol.messages import (
    Append,
    Appended,
    End,
    Hello,
    Message,
    Register,
    Registered,
    Role,
    Skip,
)
from holdfast.protocol.version import OURS
from holdfast.types import ExitStatus
from tests.support.joined import WELCOME
from tests.support.samples import SESSION

EPOCH, OTHER = b"e" * 16, b"f" * 16
TEXT = bytes(range(256)) * 4096
HELLO = Hello(protocol=OURS, client_id="c", role=Role.CONTROL, kind="wrap")


class Text:
    """Everything that was printed; the oldest may be gone."""

    def __init__(self, end: int) -> None:
        self.taken = self.begin = 0
        self.end = end

    def read(self, offset: int, limit: int) -> bytes:
        assert self.begin <= offset
        return TEXT[offset : min(offset + limit, self.end)]

    def take(self, offset: int) -> None:
        self.taken = max(self.taken, offset)
        self.begin = max(self.begin, offset)


class Daemon:
    """A log, gaps as dots, and what it was asked."""

    def __init__(self, log: bytes = b"", epoch: bytes = EPOCH) -> None:
        self.log = bytearray(log)
        self.epoch = epoch
        self.asked: list[Message] = []
        self.error: HoldfastError | None = None

    def answer(self, message: Message) -> Message | HoldfastError:
        self.asked.append(message)
        if self.error is not None:
            return self.error
        if isinstance(message, Register):
            return Registered(session=SESSION, end=len(self.log), epoch=self.epoch)
        if isinstance(message, Append):
            assert message.offset <= len(self.log)
            self.log[message.offset :] = message.data
        elif isinstance(message, Skip):
            assert message.start == len(self.log)
            self.log += b"." * (message.end - message.start)
        elif isinstance(message, End):
            assert message.offset == len(self.log)
            return SESSION
        return Appended(end=len(self.log))


class Scene:
    """A copier, its core, and the daemon it talks to."""

    def __init__(self, end: int) -> None:
        self.text = Text(end)
        self.core = Core(
            HELLO, policy=FOR_EVER, jitter=lambda: 0.0, changed=lambda _: None, now=0.0
        )
        self.copier = Copier(self.core, self.text, lambda: Register(session="k3v9qd"))
        self.core.add(self.copier)
        self.daemon = Daemon()
        self.end: DaemonEnd | None = None

    def connect(self, daemon: Daemon | None = None) -> None:
        self.daemon = daemon or self.daemon
        self.core.dialing()
        self.core.connected("", 0.0)
        self.end = DaemonEnd(now=0.0)
        self.end.feed(b"".join(self.core.drain()))
        self.end.next_event()
        self.end.welcome(WELCOME)
        self.core.feed(b"".join(self.end.drain()), 0.0)
        self.core.offer(0.0)

    def lose(self) -> None:
        self.end = None
        self.core.ended(NotConnected(reason="gone"), 0.0)

    def exchange(self) -> None:
        """Answer what was asked."""
        assert self.end is not None
        self.end.feed(b"".join(self.core.drain()))
        while (event := self.end.next_event()) is not None:
            assert isinstance(event, RequestReceived)
            result = self.daemon.answer(event.message)
            if isinstance(result, HoldfastError):
                self.end.fail(event.number, result)
            else:
                self.end.reply(event.number, result)
        self.core.feed(b"".join(self.end.drain()), 0.0)

    def send_all(self) -> None:
        self.exchange()
        while self.copier.has_work:
            while self.copier.send():
                pass
            self.exchange()


def test_all_that_was_printed_is_sent_and_then_forgotten() -> None:
    scene = Scene(len(TEXT))
    scene.connect()
    scene.send_all()

    assert scene.daemon.log == TEXT
    assert scene.text.taken == len(TEXT)
    assert scene.copier.missing == 0


def test_so_much_is_under_way_and_no_more() -> None:
    scene = Scene(len(TEXT))
    scene.connect()
    scene.exchange()
    while scene.copier.send():
        pass

    assert len(b"".join(map(bytes, scene.core.drain()))) < IN_FLIGHT * (PIECE + 100)
    assert not scene.copier.has_work


def test_a_lost_connection_goes_on_where_the_log_ends() -> None:
    scene = Scene(len(TEXT))
    scene.connect()
    scene.exchange()
    scene.copier.send()
    scene.exchange()
    scene.copier.send()  # it is not known whether this has arrived
    scene.daemon.log += TEXT[PIECE : PIECE + 1000]  # a part of it has
    scene.lose()
    scene.connect()
    scene.send_all()

    assert scene.daemon.log == TEXT
    resumed = [each for each in scene.daemon.asked if isinstance(each, Append)][1]
    assert resumed.offset == PIECE + 1000


def test_what_overflowed_is_skipped() -> None:
    scene = Scene(len(TEXT))
    scene.text.begin = 5000
    scene.connect()
    scene.send_all()

    assert scene.daemon.log == b"." * 5000 + TEXT[5000:]
    assert scene.copier.missing == 5000


def test_a_daemon_that_has_lost_what_it_took_is_told_of_the_gap() -> None:
    scene = Scene(3000)
    scene.connect()
    scene.send_all()
    scene.lose()
    scene.text.end = 4000
    scene.connect(Daemon(epoch=OTHER))
    scene.send_all()

    assert scene.daemon.log == b"." * 3000 + TEXT[3000:4000]


def test_a_log_that_goes_on_behind_something_else_takes_everything() -> None:
    scene = Scene(3000)
    scene.connect()
    scene.send_all()
    scene.lose()
    scene.text.end = 4000
    scene.connect(Daemon(b"#" * 3500, epoch=OTHER))
    scene.copier.finish(ExitStatus(code=3))
    scene.send_all()

    assert scene.daemon.log == b"#" * 3500 + TEXT[3000:4000]
    assert scene.copier.is_ended


def test_the_end_comes_behind_the_last_byte() -> None:
    scene = Scene(3000)
    scene.copier.finish(ExitStatus(signal=9))
    scene.connect()
    scene.send_all()

    assert scene.daemon.asked[-1] == End(session="k3v9qd", offset=3000, exit_signal=9)
    assert scene.copier.is_ended


def test_a_refusal_that_may_pass_is_tried_again_after_a_pause() -> None:
    scene = Scene(3000)
    scene.daemon.error = DiskFull(path="here")
    scene.connect()
    scene.exchange()
    pauses = [scene.copier.pause]
    assert scene.copier.trouble is not None
    scene.copier.retry()
    scene.exchange()
    pauses.append(scene.copier.pause)
    scene.daemon.error = None
    scene.copier.retry()
    scene.send_all()

    assert pauses == [1.0, 2.0]
    assert scene.daemon.log == TEXT[:3000]


def test_a_refusal_that_stays_is_the_end() -> None:
    scene = Scene(3000)
    scene.connect()
    scene.exchange()
    scene.daemon.error = NotFound(session="k3v9qd")
    scene.copier.send()
    scene.exchange()

    assert isinstance(scene.copier.error, NotFound)
    assert not scene.copier.has_work
    scene.lose()
    scene.connect(Daemon())
    scene.exchange()
    assert scene.daemon.asked == []
