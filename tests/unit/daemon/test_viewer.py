"""One viewer, of a log that can be read only now and then."""

from holdfast.daemon.viewer import Bytes, Picture, Viewer
from holdfast.errors import IoFailed
from holdfast.metrics.counters import Counters
from holdfast.protocol.messages import Message
from holdfast.session.cursor import Cursor, Policy
from holdfast.session.held import BLOCK


class Disk:
    """A log of zeros on a disk that gives a piece once."""

    end = 2 * BLOCK
    finish = ""
    counters = Counters()

    def piece(self, offset: int, limit: int) -> Bytes:
        return bytes(min(limit, self.end - offset))

    def crc(self, end: int) -> int:
        raise IoFailed(action=f"reading up to {end}", reason="Input/output error")

    def tail(self) -> Picture:
        return Picture(self.end, b"", "tail")

    def paint(self, viewer: Viewer) -> bool:
        raise AssertionError(f"{viewer.number}: nothing is skipped")

    def look_up(self, viewer: Viewer, upto: int) -> None:
        raise AssertionError(f"{viewer.number}: all is kept up to {upto}")


class Wire:
    """A connection that notes what is sent."""

    has_room = True

    def __init__(self) -> None:
        self.sent: list[tuple[int, int, int]] = []
        self.said: list[Message] = []

    def send(self, viewer: int, offset: int, payload: Bytes) -> None:
        self.sent.append((viewer, offset, len(payload)))

    def say(self, message: Message) -> None:
        self.said.append(message)

    def over(self, viewer: int) -> None:
        raise AssertionError(f"{viewer}: there is more")


def test_a_block_that_cannot_be_read_again_is_not_vouched_for() -> None:
    """Raised, it would keep the others of its session from being served."""
    wire = Wire()
    viewer = Viewer(1, wire, Cursor(0, policy=Policy.LOSSLESS), Disk())

    served = [viewer.serve(0.0) for _ in range(2)]

    assert sum(served) == BLOCK
    assert (wire.sent, wire.said) == ([(1, 0, BLOCK // 2), (1, BLOCK // 2, BLOCK // 2)], [])
