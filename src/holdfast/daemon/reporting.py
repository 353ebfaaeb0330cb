"""The lines of the daemon's log: time, level, what happened, and the facts as key=value.

Never what was printed or typed: only ids, names of files and words of errors.
"""

import json
import logging
import re
import sys
import time
import traceback
from typing import NamedTuple

from holdfast.keeper.place import turn_over

PLAIN = re.compile(r"[\w./:@+,%-]+")
LEVELS = {"info", "warning", "error"}


class Complaint(NamedTuple):
    """Something that went wrong."""

    time: float
    text: str


class _Last:
    complaint: Complaint | None = None


class _Log:
    path = ""


def log_into(path: str) -> None:
    """Say which file stderr is, so that it is turned over when it has grown."""
    _Log.path = path


def report(event: str, *, level: str = "warning", **facts: object) -> None:
    """Write a line into the daemon's log, if the disk takes it."""
    assert level in LEVELS
    now = time.time()
    if level != "info":
        reason = facts.get("reason")
        _Last.complaint = Complaint(now, f"{event}: {reason}" if reason else event)
    try:
        if _Log.path:
            turn_over(_Log.path)
        # stderr is that log.
        print(line_of(now, level, event, facts), file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        pass  # the same full disk, most likely; it must not stop a session as well


def last_complaint() -> Complaint | None:
    """Return what went wrong last in this daemon."""
    return _Last.complaint


def line_of(now: float, level: str, event: str, facts: dict[str, object]) -> str:
    """Return one line, whatever the facts hold."""
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    words = [f"{name}={_value(fact)}" for name, fact in facts.items() if fact not in ("", None)]
    return " ".join([f"{clock}.{int(now % 1 * 1000):03}Z", level, _one_line(event), *words])


class Lines(logging.Handler):
    """What other code logs, in the same shape: ours in `store`, the loop's."""

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        trace = ""
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
        report(record.getMessage(), level=level, logger=record.name, trace=trace)


def _value(fact: object) -> str:
    text = str(fact)
    return text if PLAIN.fullmatch(text) else json.dumps(text)


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)
