"""What pages may ask, and how sessions and attachments look to them. No socket, no daemon."""

from collections.abc import Mapping
from typing import Any

import msgspec

from holdfast.client.view import Gap, Snapshot, Tail
from holdfast.errors import InvalidArgument
from holdfast.host.flow import Frame
from holdfast.host.packets import EVENTS, Attach
from holdfast.protocol.messages import Attached, SessionInfo

Payload = dict[str, object]
# Characters of a command line that pages are shown: a session's is pushed at every change.
LONGEST_LINE = 2000


def read(event: str, payload: object) -> Any:
    """Return what was asked, or raise InvalidArgument."""
    try:
        return msgspec.convert({} if payload is None else payload, EVENTS[event])
    except msgspec.ValidationError as error:
        raise InvalidArgument(
            argument=event,
            value=type(payload).__name__,
            problem=str(error),
            remedy="reload the page",
        ) from error


def tail_of(asked: Attach) -> Tail | None:
    """Return what the page holds of a session; None if that is nothing."""
    if asked.since is None:
        return None
    try:
        epoch = bytes.fromhex(asked.epoch)
    except ValueError:
        epoch = asked.epoch.encode()  # nobody's, so a picture is the answer
    return Tail(epoch, asked.since, asked.length, asked.crc)


# -- what they are shown


def session_payload(info: SessionInfo) -> Payload:
    """Return a session as this client's page sees it."""
    return {
        "id": info.id,
        "name": info.name,
        "key": info.key,
        "state": info.state,
        "recovery": info.recovery,
        "title": info.title,
        "cwd": info.cwd,
        "argv": _short(info.argv),
        "cols": info.cols,
        "rows": info.rows,
        "owner": "me" if info.owned else "none" if info.owner is None else "other",
        "owner_label": info.owner or "",
        "viewers": info.viewers,
        "created": info.created,
        "ended": info.ended,
        "exit_code": info.exit_code,
        "signal": info.exit_signal,
        "mirrored": info.mirrored,
        "end": info.offset,
    }


def attached_payload(view: int, reply: Attached) -> Payload:
    """Return how a view goes on."""
    gap = reply.gap
    return {
        "view": view,
        "outcome": reply.outcome,
        "offset": reply.offset,
        "oldest": reply.oldest,
        "end": reply.end,
        "epoch": reply.epoch.hex(),
        "reason": reply.reason,
        "fidelity": reply.fidelity,
        "snapshot": reply.snapshot,
        "gap": {"start": gap.start, "end": gap.end, "reason": gap.reason} if gap else None,
        "owner": reply.owner,
    }


def output_payload(view: int, frame: Frame) -> Payload:
    return {"view": view, "offset": frame.offset, "data": frame.data}


def snapshot_payload(view: int, snapshot: Snapshot, epoch: bytes) -> Payload:
    return {
        "view": view,
        "offset": snapshot.offset,
        "data": snapshot.data,
        "fidelity": snapshot.fidelity,
        "reason": snapshot.reason,
        "epoch": epoch.hex(),
    }


def gap_payload(view: int, gap: Gap) -> Payload:
    return {"view": view, "start": gap.start, "end": gap.end, "reason": gap.reason}


def _short(argv: list[str]) -> list[str]:
    shown: list[str] = []
    room = LONGEST_LINE
    for word in argv:
        if room <= 0:
            return [*shown, "…"]
        shown.append(word if len(word) <= room else word[:room] + "…")
        room -= len(word) + 1
    return shown


def session_environment(environ: Mapping[str, str]) -> dict[str | bytes, Any]:
    """Return the host's environment as a program in a browser's terminal should find it."""
    chosen: dict[str | bytes, Any] = {
        name: text for name, text in environ.items() if name not in ("COLUMNS", "LINES")
    }
    return chosen | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
