"""What a session's screen should be: a model that was given its log from the first byte."""

from pathlib import Path

from holdfast.formats.timeline import Resize
from holdfast.protocol.messages import Attached
from holdfast.reader.ghostty import GhosttyScreen
from holdfast.store.log_reader import LogReader
from holdfast.store.marks import marks
from tests.support.facts import differences, facts
from tests.support.home import Home, until
from tests.support.looker import Looker
from tests.support.recordings import Event

# As in tests/oracle: what REP would repeat after the cursor was moved.
APART = {"terminal.previous"}


def history(home: Home, session: str, end: int) -> tuple[tuple[int, int], list[Event]]:
    """Return the first size of a session's terminal, and all that happened to it up to *end*."""
    directory = Path(home.paths.state) / "sessions" / session
    resizes = [mark for mark in marks(directory) if isinstance(mark, Resize)]
    sizes = [(size.offset, (size.cols, size.rows)) for size in resizes if size.offset <= end]
    assert sizes[0][0] == 0
    data = _log(directory, end)
    events: list[Event] = []
    edges = [offset for offset, _ in sizes[1:]] + [end]
    at = 0
    for edge, size in zip(edges, [size for _, size in sizes[1:]] + [None], strict=True):
        if edge > at:
            events.append(data[at:edge])
        if size is not None:
            events.append(size)
        at = edge
    return sizes[0][1], events


def _log(directory: Path, end: int) -> bytes:
    data = b""
    with LogReader(directory) as log:
        while len(data) < end:
            data += log.read(len(data), end - len(data))
    return data


def shown(size: tuple[int, int], events: list[Event]) -> GhosttyScreen:
    """Return the model of a terminal that has seen all this."""
    model = GhosttyScreen.create(*size)
    for event in events:
        if isinstance(event, bytes):
            model.feed(event)
        else:
            model.resize(*event)
    return model


def unlike(truth: GhosttyScreen, picture: bytes, rest: bytes = b"") -> dict[str, str]:
    """Return how a fresh terminal that is shown a picture, and what follows, differs."""
    fresh = GhosttyScreen.create(*truth.size)
    fresh.feed(picture, answering=True)
    asked = {"replies": str(fresh.replies())} if fresh.replies() else {}
    fresh.feed(rest)
    found = differences(facts(truth), facts(fresh)) | asked
    fresh.close()
    return {name: text for name, text in found.items() if name not in APART}


def exactly_attached(home: Home, session: str) -> Attached:
    """Attach until a picture is exact, as it is at once where the reader has the time."""

    def exact() -> Attached | None:
        with Looker(home, session) as looker:
            return looker.attached if looker.attached.fidelity == "exact" else None

    return until(exact, "an exact picture")


def wrong(home: Home, session: str) -> dict[str, str]:
    """Return what is wrong on the screen of somebody who attaches now."""
    attached = exactly_attached(home, session)
    truth = shown(*history(home, session, attached.offset))
    found = unlike(truth, attached.snapshot)
    truth.close()
    return found
