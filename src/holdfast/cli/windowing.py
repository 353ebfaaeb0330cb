"""`hold window`: the host's page in a window of its own, or the nearest thing there is."""

import getpass
import json
import os
import shlex
import socket
import sys
import threading
from argparse import Namespace
from collections.abc import Mapping

from holdfast.cli import browsing, door, hosts
from holdfast.cli.exits import FAILED, OK, Exit, Usage, note, two_lines
from holdfast.config.paths import Paths
from holdfast.dev import chromium
from holdfast.errors import HoldfastError
from holdfast.host.records import Record
from holdfast.protocol.messages import Role
from holdfast.window import display
from holdfast.window.asked import HEIGHT, LEAST, MOST, WIDTH, Look, is_size
from holdfast.window.opening import NotShown, Opened, trouble

PIECE = 64 << 10
AGAIN = "sessions live on, and `hold window` shows them again"


def window(values: Namespace) -> int:
    """Show the page until its window is closed."""
    paths, environ = door.places(), os.environ
    look = Look(
        width=_size("--width", values.width),
        height=_size("--height", values.height),
        title=values.title or "",
        debug=values.debug,
        keep=paths.state / "window",
    )
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id).id if values.id else ""
    host = hosts.living(paths)
    if blind := display.trouble(environ):
        return _without_display(blind, host, paths, session)
    try:
        if known := trouble(environ):
            raise known
        return _native(host, paths, session, look, environ, drive=values.drive)
    except NotShown as missed:
        if values.drive:
            print(two_lines(Usage(missed.what, missed.fix)), file=sys.stderr)
            return FAILED
        return _in_browser(missed, host, paths, session, look)


def _native(
    host: Record,
    paths: Paths,
    session: str,
    look: Look,
    environ: Mapping[str, str],
    *,
    drive: bool,
) -> int:
    """Show it in a window of our own; raise NotShown."""
    url, _ = hosts.address(host, paths, session)
    with Opened(url, look, environ) as opened:
        try:
            opened.wait_shown()
            if drive:
                threading.Thread(target=_drive, args=(opened,), daemon=True).start()
            said = ""
            for event in opened.events():
                if drive:
                    print(json.dumps(event), flush=True)
                if event.get("event") == "active":
                    said = _come_back(host, paths, said)
        except KeyboardInterrupt:
            return OK
        if opened.close() != 0:
            note(f"the window has died: {opened.last_words()}; {AGAIN}")
            return FAILED
    return OK


def _come_back(host: Record, paths: Paths, said: str) -> str:
    """Have the host there for who has come back; say once why it cannot be, and return that."""
    try:
        hosts.revived(host, paths)
    except (HoldfastError, OSError) as error:
        what = two_lines(error)
        if what != said:
            print(what, file=sys.stderr)
        return what
    except Exit:  # it did not start, and has said why
        return said
    return ""


def _drive(opened: Opened) -> None:
    """Pass on what comes on stdin; its end closes the window."""
    held = b""
    while piece := os.read(sys.stdin.fileno(), PIECE):
        *lines, held = (held + piece).split(b"\n")
        for line in lines:
            opened.say(line)
    opened.say_no_more()


def _in_browser(missed: NotShown, host: Record, paths: Paths, session: str, look: Look) -> int:
    """Show it in a bare Chromium, or in the browser of the person."""
    url, code = hosts.address(host, paths, session)

    def is_read() -> bool:
        return hosts.is_used(code, paths)

    found = chromium.find()
    shown_in = os.path.basename(found) if found else "your browser"  # noqa: PTH119 - a name
    note(f"{missed.what} ({missed.fix}); it is shown in {shown_in} instead")
    if found:
        size = f"--window-size={look.width or WIDTH},{look.height or HEIGHT}"
        profile = f"--user-data-dir={paths.state / 'window' / 'browser'}"
        argv = [found, *chromium.quiet_flags(), size, profile]
        try:
            ended = browsing.open_app(argv, url, paths.runtime, is_read)
        except KeyboardInterrupt:
            return OK
        if ended == 0:
            return OK
        note(f"{shown_in} ended with {ended}; trying your browser")
    if browsing.open_default(url, paths.runtime, is_read):
        return OK
    note("no browser could be opened: open the address yourself")
    print(url)
    return FAILED


def _without_display(blind: str, host: Record, paths: Paths, session: str) -> int:
    url, _ = hosts.address(host, paths, session)
    print(url)
    there = shlex.quote(f"{getpass.getuser()}@{socket.gethostname()}")
    note(f"{blind}, so no window can be shown")
    note(f"from elsewhere: ssh -N -L {host.port}:127.0.0.1:{host.port} {there}, and open it there")
    return FAILED


def _size(flag: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not is_size(int(text)):
        raise Usage(f"{flag} {text!r} is no size", f"write pixels, from {LEAST} to {MOST}")
    return int(text)
