"""`hold output` and `hold send`: bytes out of a session and into it."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator

from msgspec.structs import replace

from holdfast.cli import door
from holdfast.cli.exits import OK, Usage, note
from holdfast.client.calls import CALL_TIMEOUT
from holdfast.client.plain import Client
from holdfast.errors import InputQueueFull, OffsetPruned, OwnerRequired, TimedOut
from holdfast.protocol.messages import Input, Output, Role, Send, SessionInfo
from holdfast.terminal.outer import write_all

PATIENCE = 2.0  # seconds to wait for somebody else to have sent what they send
PAUSE = 0.05
WAIT = 30.0  # seconds of one long poll
PIECE = 256 << 10  # bytes of output at a time
SEND_PIECE = 32 << 10  # bytes of input at a time; the queue of a session holds 2 MB
UNIT_LIMIT = 1 << 20  # bytes sent as one unit; the queue holds two of those
SLOWEST = 100_000  # bytes a second that the slowest program reads that is still awake


def output(values: Namespace) -> int:
    """Write what a session printed to stdout."""
    if values.until is not None and values.until < (values.since or 0):
        what = f"--until {values.until} lies before --since {values.since}"
        raise Usage(what, "an offset counts bytes from the session's beginning")
    out = sys.stdout.fileno()
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id)
        chunks = read(client, session.id, values.since, values.until, follow=values.follow)
        if values.raw or not os.isatty(out):
            _copy(out, chunks, 0 if values.follow else _length(session, values))
        else:
            _show(out, chunks)
    return OK


def show(client: Client, session: str, out: int, *, follow: bool) -> None:
    """Write what a session printed, to a terminal without what could harm it."""
    chunks = read(client, session, None, None, follow=follow)
    if os.isatty(out):
        _show(out, chunks)
        return
    for chunk in chunks:
        write_all(out, chunk)


def read(
    client: Client, session: str, since: int | None, until: int | None, *, follow: bool
) -> Iterator[bytes]:
    """Yield the bytes from *since* to *until*; without *follow* to the end there is now."""
    at = since or 0
    while until is None or at < until:
        stop = at + PIECE if until is None else min(at + PIECE, until)
        request = Output(session=session, since=at, until=stop, wait=WAIT if follow else 0.0)
        try:
            chunk = client.call(request, WAIT + CALL_TIMEOUT)
        except OffsetPruned as pruned:
            if at == since:
                raise
            note(f"bytes {at} to {pruned.oldest} are no longer kept")
            at = pruned.oldest
            continue
        at = chunk.offset + len(chunk.data)
        if chunk.data:
            yield chunk.data
        if not follow and until is None:
            until = chunk.end  # or a program that floods would never let us go
        if (chunk.final and at >= chunk.end) or not (chunk.data or follow):
            return


def _length(session: SessionInfo, values: Namespace) -> int:
    """Return about how many bytes are coming."""
    end = session.offset if values.until is None else values.until
    return max(0, end - (values.since or 0))


def _copy(out: int, chunks: Iterator[bytes], length: int) -> None:
    """Write every byte as it was; a large read that somebody waits for says how far it is."""
    if not length or os.isatty(out):
        for chunk in chunks:
            write_all(out, chunk)
        return
    from holdfast.cli.progress import Progress  # noqa: PLC0415 - only for what is long

    with Progress("reading", length, bytes=True) as progress:
        for chunk in chunks:
            write_all(out, chunk)
            progress.done += len(chunk)


def _show(out: int, chunks: Iterator[bytes]) -> None:
    """Write to a terminal what does it no harm, and leave it in its ordinary modes."""
    # Only here: bytes into a file or a pipe should not pay for it.
    from holdfast.terminal.modes import Modes  # noqa: PLC0415
    from holdfast.terminal.queries import QueryFilter  # noqa: PLC0415

    questions, modes = QueryFilter(), Modes()
    try:
        for chunk in chunks:
            shown = questions.feed(chunk)
            modes.feed(shown)
            write_all(out, shown)
    finally:
        write_all(out, modes.undo())


def send(values: Namespace) -> int:
    """Type text into a session; returns when its terminal has taken it."""
    if values.text and values.stdin:
        raise Usage("hold send takes TEXT or --stdin", "write one of them")
    if not (values.text or values.stdin or values.enter or values.keys):
        fix = "write `hold send ID TEXT`, `--enter`, `--keys`, or `--stdin`"
        raise Usage("hold send has nothing to type", fix)
    if values.keys:
        from holdfast.cli import keys  # noqa: PLC0415 - text needs none of it

        keys.bytes_of(values.keys)  # a wrong one is said before anything is typed
    data = sys.stdin.buffer.read() if values.stdin else os.fsencode(" ".join(values.text))
    with door.client(client_id=values.client_id) as client:
        session, at = door.session_named(client, values.id), 0
        pressed = _keys(client, session.id, values.keys)
        unit = Send(session=session.id, offset=0, text=data, takeover=values.takeover)
        if len(data) > UNIT_LIMIT:
            at = type_in(client, session.id, data, takeover=values.takeover)
        elif data:
            at = send_unit(client, replace(unit, enter=values.enter and not pressed))
        if pressed:
            at = _patiently(
                client,
                Input(session=session.id, offset=at, data=pressed, takeover=values.takeover),
            )
        if values.enter and (pressed or not 0 < len(data) <= UNIT_LIMIT):
            send_unit(client, replace(unit, offset=at, text=b"", enter=True))
    return OK


def _keys(client: Client, session: str, names: str | None) -> bytes:
    if not names:
        return b""
    from holdfast.cli.keying import bytes_for  # noqa: PLC0415 - text needs none of it

    return bytes_for(client, session, names)


def send_unit(client: Client, unit: Send) -> int:
    """Send a text, and Enter if that is wanted, as one unit, once; return where it ends."""
    try:
        return _patiently(client, unit)
    except TimedOut as error:
        what = f"session {unit.session!r} has not taken all of it: its program does not read"
        fix = "it gets the rest when it reads; look at it with `hold output`"
        raise error.said(what, fix) from error


def _patiently(client: Client, unit: Send | Input) -> int:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            if isinstance(unit, Send):
                return client.call(unit, CALL_TIMEOUT + len(unit.text) / SLOWEST).end
            return client.call(unit).end
        except OwnerRequired:
            # Most likely another script that sends; it owns the session for a moment.
            if time.monotonic() > give_up:
                raise
        time.sleep(PAUSE)


def type_in(client: Client, session: str, data: bytes, *, takeover: bool = False) -> int:
    """Send *data* as this client's input from its beginning, each byte once; return its end."""
    at = 0
    while at < len(data):
        part = data[at : at + SEND_PIECE]
        piece = Input(session=session, offset=at, data=part, takeover=takeover)
        try:
            at = client.call(piece).end
        except TimedOut as error:
            what = f"session {session!r} took {at} of {len(data)} bytes: its program does not read"
            raise error.said(
                what, "look at it with `hold output`, and send the rest later"
            ) from error
        except InputQueueFull as error:
            what = f"{error.what}; {at} of {len(data)} bytes were taken"
            raise error.said(what, error.fix) from error
    return at
