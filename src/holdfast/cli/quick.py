"""`hold ls` and `hold send` on a good day, without any import that costs.

What words and replies mean stays with `parsing`, `sessions` and `streams`: whatever is not
plainly one of the two shapes known here is done by them. Rendering is the same for both.
"""

import os
import sys

from holdfast.cli import paging, render, rows
from holdfast.cli.saying import label, note
from holdfast.client.quick import Quick, Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

TEXT_LIMIT = 64 << 10  # bytes; more is for who can wait for a program that reads slowly
PAGE = 500  # sessions; the daemon gives no more at a time
PATTERN = "*?["  # of names: several sessions, perhaps
# What a field of a session is when it is left out; a test compares it with the message.
LEFT_OUT: "dict[str, Any]" = {
    "last_attached": None,
    "ended": None,
    "exit_code": None,
    "exit_signal": None,
    "stalled": None,
    "life": 1,
    "restore": "shell",
    "ephemeral": False,
    "owner": None,
    "owned": False,
    "duration": None,
    "maxrss_kib": None,
    "killed_by": "",
    "viewers": 0,
    "lag": 0,
    "last_activity": None,
    "mirrored": False,
    "attributes": {},
    "title": "",
    "last_line": "",
}


class Ordinary(Exception):
    """This is to be done in the ordinary way, as the client that may have begun it."""

    def __init__(self, client_id: str = "") -> None:
        super().__init__()
        self.client_id = client_id


class Row:
    """A session as it was listed: the fields of `SessionInfo`."""

    def __init__(self, fields: "dict[str, Any]") -> None:
        self.__dict__.update(LEFT_OUT, **fields)


def run(words: "Sequence[str]") -> int:
    """Run `ls` or `send`; raise Ordinary for whatever is unusual."""
    command, *rest = words
    if command == "ls":
        _ls(rest)
    else:
        _send(rest)
    sys.stdout.flush()
    return 0


def _ls(words: "list[str]") -> None:
    if words not in ([], ["--all"]):
        raise Ordinary
    asked: dict[str, Any] = {"limit": PAGE, "lines": True} | ({"ended": True} if words else {})
    try:
        with Quick(os.environ, role="stream", label=label()) as quick:
            page = quick.call("list", asked)
            sessions: Any = [Row(each) for each in page["sessions"]]
            while page.get("next"):
                page = quick.call("list", asked | {"after": page["next"]})
                sessions += [Row(each) for each in page["sessions"]]
            text = "\n".join(rows.lines(sessions)) if sessions else ""
    except (Unusual, LookupError, TypeError, ValueError, AttributeError):
        raise Ordinary from None
    if text:
        paging.show(text)
    else:
        note(render.NO_SESSIONS)


def _send(words: "list[str]") -> None:
    enter = "--enter" in (words[:1] + words[-1:])  # in the middle it is a mistake
    if enter:
        words.remove("--enter")
    session, data = words[0] if words else "", os.fsencode(" ".join(words[1:]))
    is_plain = not any(word.startswith("-") for word in words)
    if not (session and data and is_plain and len(data) <= TEXT_LIMIT):
        raise Ordinary
    if any(character in PATTERN for character in session):
        raise Ordinary
    quick = Quick(os.environ, role="control", label=label())
    try:
        with quick:
            # By its id: the name may pass to another before it is sent a second time.
            found = quick.call("get", {"session": session})["id"]
            unit = {"session": found, "offset": 0, "text": data, "enter": enter}
            quick.call("send", unit)
    except (Unusual, LookupError):
        raise Ordinary(quick.client_id) from None
