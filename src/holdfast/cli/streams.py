"""`hold output` and `hold send`: bytes out of a session and into it."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator

from holdfast.cli import door
from holdfast.cli.exits import OK, Usage, note
from holdfast.client.calls import CALL_TIMEOUT
from holdfast.client.plain import Client
from holdfast.errors import InputQueueFull, OffsetPruned, OwnerRequired, TimedOut
from holdfast.protocol.messages import Input, Output, Role, Send

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
            for chunk in chunks:
                write_all(out, chunk)
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


def write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def send(values: Namespace) -> int:
    """Type text into a session; returns when its terminal has taken it."""
    if bool(values.text) == values.stdin and not (values.enter and not values.text):
        what = "hold send takes TEXT or --stdin" if values.text else "hold send has nothing to type"
        raise Usage(what, "write `hold send ID TEXT`, `--enter`, or `--stdin`")
    data = sys.stdin.buffer.read() if values.stdin else os.fsencode(" ".join(values.text))
    with door.client() as client:
        session = door.session_named(client, values.id)
        if len(data) > UNIT_LIMIT:
            at = type_in(client, session.id, data, takeover=values.takeover)
            data = b""
        else:
            at = 0
        if data or values.enter:
            unit = Send(
                session=session.id,
                offset=at,
                text=data,
                enter=values.enter,
                takeover=values.takeover,
            )
            send_unit(client, unit)
    return OK


def send_unit(client: Client, unit: Send) -> None:
    """Send a text, and Enter if that is wanted, as one unit, once."""
    give_up = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                client.call(unit, CALL_TIMEOUT + len(unit.text) / SLOWEST)
            except OwnerRequired:
                # Most likely another script that sends; it owns the session for a moment.
                if time.monotonic() > give_up:
                    raise
            else:
                return
            time.sleep(PAUSE)
    except TimedOut as error:
        what = f"session {unit.session!r} has not taken all of it: its program does not read"
        fix = "it gets the rest when it reads; look at it with `hold output`"
        raise error.said(what, fix) from error


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
