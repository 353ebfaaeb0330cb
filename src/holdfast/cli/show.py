"""`hold show`: everything about one session, living or not."""

import os
import time
from argparse import Namespace
from collections.abc import Iterator

from holdfast.cli import door, paging, render
from holdfast.cli.exits import OK, one_line
from holdfast.cli.shapes import Kept, Shown
from holdfast.protocol.messages import CommandRecord, Commands, Du, Role, SessionInfo

CLOCK = "%Y-%m-%d %H:%M:%S"
COMMANDS, HOLES = 5, 5  # of each the newest; `hold commands` and `hold du --json` have all
MEMORY_ONLY = "its output is in memory only"
RULES = {
    "never": "after a reboot it waits for `hold restore`",
    "shell": "after a reboot it starts again if it is a shell",
    "always": "after a reboot it starts again",
}
MOST = 20  # commands in JSON


def show(values: Namespace) -> int:
    """Show what is known of a session."""
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id)
        used = client.call(Du(session=session.id)).sessions
        records = client.call(Commands(session=session.id, last=MOST)).records
    use = next(each for each in used if each.session == session.id)
    kept = Kept(use.log, use.other, use.start, use.end, use.missing)
    if values.json:
        found = Shown(session, kept, records)
        print(render.as_json(found))
        return OK
    now, home = time.time(), os.environ.get("HOME", "")
    rows = [*_itself(session, now, home), *_life(session, now), *_now(session), *_kept(kept)]
    rows += [("commands" if not i else "", text) for i, text in enumerate(_commands(records))]
    paging.show("\n".join(f"{name:10}{one_line(text)}".rstrip() for name, text in rows))
    return OK


Rows = Iterator[tuple[str, str]]


def _itself(session: SessionInfo, now: float, home: str) -> Rows:
    key = f", key {session.key}" if session.key else ""
    yield "session", f"{render.named(session.id, session.name)}{key}"
    yield "command", render.command_line(session.argv)
    if session.title:
        yield "title", session.title
    yield "cwd", render.from_home(session.cwd, home)
    yield "created", _when(session.created, now)
    if session.mirrored:
        said = ", ".join(f"{name} {text}" for name, text in session.attributes.items())
        yield "mirrored", said or "its terminal lives in a client"
    yield "life", f"{session.life}; {MEMORY_ONLY if session.ephemeral else RULES[session.restore]}"
    if session.recovery:
        yield "recovery", session.recovery


def _life(session: SessionInfo, now: float) -> Rows:
    pid = f", pid {session.pid}" if session.pid and session.ended is None else ""
    yield "state", f"{render.state_words(session)}{pid}"
    if session.ended is not None:
        lasted = "" if session.duration is None else f", after {render.age(session.duration)}"
        yield "ended", f"{_when(session.ended, now)}{lasted}"
    if session.killed_by:
        yield "ended by", session.killed_by
    if session.maxrss_kib is not None:
        yield "memory", f"{render.size(session.maxrss_kib * render.UNIT)} at most"


def _now(session: SessionInfo) -> Rows:
    yield "owner", session.owner or "nobody"
    behind = f", the last one {render.size(session.lag)} behind" if session.lag else ""
    yield "viewers", f"{session.viewers}{behind}"
    yield "size", f"{session.cols}x{session.rows}"
    for name, when in (("active", session.last_activity), ("attached", session.last_attached)):
        if when is not None:
            yield name, _when(when, time.time())


def _kept(kept: Kept) -> Rows:
    yield "printed", f"{render.size(kept.end)}, {kept.end} bytes"
    size = f"{render.size(kept.log)} of output, {render.size(kept.other)} beside it"
    yield "kept", f"from {kept.start} to {kept.end}: {size}"
    for start, end, reason in kept.missing[-HOLES:]:
        yield "hole", f"{start} to {end}: {reason}"


def _commands(records: list[CommandRecord]) -> Iterator[str]:
    for record in records[-COMMANDS:]:
        code = "runs" if record.ended is None else f"exit {record.exit_code}"
        yield f"{record.line}  ({code})"


def _when(when: float, now: float) -> str:
    past = render.age(max(0.0, now - when))
    return f"{render.moment(when, CLOCK)}, {past}{'' if past == 'now' else ' ago'}"
