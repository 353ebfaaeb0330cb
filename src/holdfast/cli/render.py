"""How sessions and the daemon look on a terminal, and as JSON.

`hold ls` draws with this before anything that costs is imported: keep it so.
"""

import os
import time

from holdfast.cli.saying import one_line

TYPE_CHECKING = False  # `typing` is one of the things that cost
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from holdfast.protocol.messages import SessionInfo

AGES = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
UNIT = 1024
GAP = "  "
NO_SESSIONS = "no sessions; `hold run` starts one with your shell, `hold run -d -- CMD` any program"
NEEDS_NO_QUOTES = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
)
COLUMN_LIMIT = 32  # characters of a name or a directory; the last column takes what is left


def as_json(value: object) -> str:
    """Return *value* as indented JSON."""
    import msgspec  # noqa: PLC0415 - three times as long as Python's own start

    return msgspec.json.format(msgspec.json.encode(every_field(value)), indent=2).decode()


def as_line(value: object) -> str:
    """Return *value* as JSON in one line."""
    import msgspec  # noqa: PLC0415 - three times as long as Python's own start

    return msgspec.json.encode(every_field(value)).decode()


def every_field(value: object) -> object:
    """Return *value* with each message as all its fields, also those that have their default.

    Scripts rely on them; on the wire they are left out.
    """
    if isinstance(value, list | tuple):
        return [every_field(each) for each in value]
    names = getattr(value, "__struct_fields__", None)
    if names is None:
        return value
    return {name: every_field(getattr(value, name)) for name in names}


def session_fields(session: "SessionInfo") -> "dict[str, Any]":
    """Return every field, also those that have their default: scripts rely on them."""
    return {name: getattr(session, name) for name in session.__struct_fields__}


def named(session: str, name: str) -> str:
    """Return an id, with the name that people know the session by."""
    return f"{session} ({one_line(name)})" if name else session


def post_mortem(session: "SessionInfo") -> str:
    """Return what is known of a life that is over, in one line."""
    parts = [f"session {named(session.id, session.name)} {state_words(session)}"]
    if session.duration is not None:
        parts.append(f"after {age(session.duration) if session.duration >= 1 else '0 s'}")
    if session.maxrss_kib is not None:
        parts.append(f"at most {size(session.maxrss_kib * UNIT)} of memory")
    if session.killed_by:
        parts.append(f"ended by {one_line(session.killed_by)}")
    return ", ".join(parts)


def command_line(argv: "Sequence[str]") -> str:
    """Return the words as they could be typed into a shell."""
    return " ".join(_quoted(word) for word in argv)


def state_words(session: "SessionInfo") -> str:
    """Return the state, with what makes it special."""
    if session.exit_signal is not None:
        return f"{session.state} {_signal_name(session.exit_signal)}"
    if session.exit_code is not None:
        return f"{session.state} {session.exit_code}"
    special = ["mirrored"] * session.mirrored + [one_line(session.stalled or "")]
    return ", ".join([session.state, *filter(None, special)])


def table(rows: "Sequence[Sequence[str]]", width: int) -> list[str]:
    """Return aligned lines; the last column is cut at *width*."""
    short = [[*(cut(cell, COLUMN_LIMIT) for cell in row[:-1]), row[-1]] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*short, strict=True)][:-1]
    lines = []
    for row in short:
        cells = [f"{cell:{room}}" for cell, room in zip(row, widths, strict=False)]
        line = GAP.join([*cells, row[-1]]).rstrip()
        lines.append(cut(line, width) if width else line)
    return lines


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def age(seconds: float) -> str:
    """Return a span of time as people say it: its largest unit."""
    for size, unit in AGES:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def ago(seconds: float) -> str:
    """Return how long ago something was, as people say it."""
    past = age(seconds)
    return "just now" if past == "now" else f"{past} ago"


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    if count < UNIT:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= UNIT
        if amount < UNIT:
            return f"{amount:.1f} {unit}"
    return f"{amount / UNIT:.1f} TiB"


def _quoted(word: str) -> str:
    """Return what `shlex.quote` does, which compiles a pattern first."""
    if word and all(character in NEEDS_NO_QUOTES for character in word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def from_home(path: str, home: str) -> str:
    if home and (path == home or path.startswith(home.rstrip("/") + "/")):
        return "~" + path[len(home.rstrip("/")) :]
    return path


def _signal_name(number: int) -> str:
    import signal  # noqa: PLC0415 - builds its enums; only ended sessions need them

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def print_width(fd: int) -> int:
    """Return the columns of the terminal, or 0 for anything else."""
    try:
        return os.get_terminal_size(fd).columns
    except OSError:
        return 0


def moment(when: float, form: str) -> str:
    """Return a time as people here write it, also one that no clock can show."""
    try:
        return time.strftime(form, time.localtime(when))
    except (OverflowError, ValueError, OSError):
        return "?"


def clock() -> float:
    return time.time()
