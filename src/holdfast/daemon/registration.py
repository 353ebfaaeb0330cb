"""What a registration may ask for, and what it changes in the record of its session."""

import os
import time

from holdfast.daemon.record import Record
from holdfast.errors import HoldfastError, InvalidArgument
from holdfast.protocol.messages import End, Register
from holdfast.session.lifecycle import OVER, Event, State, advance
from holdfast.types import LABEL_LIMIT, SESSION_ID, ExitStatus, Size

UNKNOWN_SIZE = Size(80, 24)
ATTRIBUTES_LIMIT = 2000  # characters: 512 sessions with as many still fit into one reply
PROGRAM_LIMIT = 128 << 10  # bytes of a program line, which is written down at every change
HIGHEST_SIGNAL = 127
HIGHEST_CODE = 255


def check(asked: Register) -> None:
    """Raise InvalidArgument for a registration whose values make no sense."""
    if not SESSION_ID.fullmatch(asked.session):
        problem = "an id is 4 to 32 lower case letters and digits"
        raise InvalidArgument(argument="session", value=asked.session[:40], problem=problem)
    if len(asked.name) > LABEL_LIMIT or not asked.name.isprintable():
        problem = f"must be printable, {LABEL_LIMIT} characters at most"
        raise InvalidArgument(argument="name", value=asked.name[:LABEL_LIMIT], problem=problem)
    used = sum(len(name) + len(value) for name, value in asked.attributes.items())
    if used > ATTRIBUTES_LIMIT:
        problem = f"more than {ATTRIBUTES_LIMIT} characters together"
        raise InvalidArgument(argument="attributes", value=f"{used} characters", problem=problem)
    if sum(map(len, asked.argv)) > PROGRAM_LIMIT or b"\0" in b"".join(asked.argv):
        problem = f"more than {PROGRAM_LIMIT} bytes, or a NUL"
        raise InvalidArgument(argument="argv", value=f"{len(asked.argv)} words", problem=problem)
    if asked.cwd and not asked.cwd.startswith(b"/"):
        value = asked.cwd.decode(errors="backslashreplace")
        raise InvalidArgument(argument="cwd", value=value, problem="not an absolute path")
    size_of(asked)


def size_of(asked: Register) -> Size | None:
    """Return the size that a registration tells, None if it tells none."""
    if not (asked.cols or asked.rows):
        return None
    try:
        return Size(asked.cols, asked.rows)
    except ValueError as error:
        value = f"{asked.cols}x{asked.rows}"
        raise InvalidArgument(argument="size", value=value, problem=str(error)) from error


def status_of(asked: End) -> ExitStatus:
    """Return how a program has ended; raise InvalidArgument if it cannot have."""
    code, number = asked.exit_code, asked.exit_signal
    if code is not None and (number is not None or not 0 <= code <= HIGHEST_CODE):
        problem = f"must be 0 to {HIGHEST_CODE}, and not beside a signal"
        raise InvalidArgument(argument="exit_code", value=str(code), problem=problem)
    if number is not None and not 1 <= number <= HIGHEST_SIGNAL:
        problem = f"must be 1 to {HIGHEST_SIGNAL}"
        raise InvalidArgument(argument="exit_signal", value=str(number), problem=problem)
    return ExitStatus(code=code, signal=number)


def made(asked: Register) -> Record:
    """Return the record of a session that is registered for the first time."""
    now = time.time()
    started = asked.started if 0 < asked.started < now else now
    record = Record(
        id=asked.session,
        argv=[],
        cwd="",
        size=size_of(asked) or UNKNOWN_SIZE,
        created=started,
        began=started,
        mirrored=True,
        restore="never",
    )
    record.state = advance(record.state, Event.SPAWNED)
    return record


def become_mirrored(record: Record) -> None:
    """Let a session be a mirror again whose record was lost with the journal.

    All that is left of it is its log, to which its client can still add.
    """
    record.mirrored, record.restore = True, "never"


def may_be_registered(record: Record) -> bool:
    """Whether a session is a mirror, or may have been one."""
    is_nameless = record.recovery == "lost:journal" and record.state is State.LOST
    return record.mirrored or is_nameless


def refused(asked: Register) -> HoldfastError:
    """Return what a client hears that has chosen the id of somebody else's session."""
    problem = "the id of a session that is not mirrored"
    remedy = "choose another id"
    return InvalidArgument(argument="session", value=asked.session, problem=problem, remedy=remedy)


def update(record: Record, asked: Register) -> None:
    """Take over what is given; what is not stays as it was."""
    if asked.argv:
        record.argv = [os.fsdecode(word) for word in asked.argv]
    if asked.cwd:
        record.last_cwd = os.fsdecode(asked.cwd)
        record.cwd = record.cwd or record.last_cwd
    if asked.name:
        record.name = asked.name
    if 0 < asked.started < time.time():
        record.began = asked.started
    record.attributes = {**record.attributes, **asked.attributes}
    pid = record.attributes.get("pid", "")
    record.pid = int(pid) if pid.isascii() and pid.isdigit() and len(pid) < 10 else None


def revive(record: Record) -> None:
    """Clear an end that was noted: its client is there again."""
    if record.state in OVER:
        record.state = advance(record.state, Event.FOUND)
    record.recovery = record.ended = None
    record.exit, record.killed_by = ExitStatus(), ""
