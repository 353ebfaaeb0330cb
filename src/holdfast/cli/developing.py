"""`hold dev`: from a folder to an app that is looked at."""

import asyncio
import os
import sys
from argparse import Namespace
from pathlib import Path

from holdfast.cli import render
from holdfast.cli.exits import FAILED, OK, Usage, note, one_line, two_lines
from holdfast.dev.kinds import Script, kind_of
from holdfast.dev.running import Plan, develop
from holdfast.dev.showing import BROWSER, HEADLESS, WINDOW, Look
from holdfast.dev.upstream import Address, address_of
from holdfast.dev.voice import Failed, Voice

HIGHEST_PORT = 65535
LARGEST_SIDE = 16_384  # pixels; a browser refuses to draw more
ERASE = "\r\x1b[2K"


def dev(values: Namespace) -> int:
    """Show an app until its window is closed; return 1 if a capture found something wrong."""
    plan = plan_of(values)
    line = StatusLine()
    voice = Voice(status=line.status, note=line.note)
    try:
        is_fine = asyncio.run(develop(plan, voice))
    except Failed as failed:
        line.end()
        for each in failed.tail:
            note(f"  | {each}")
        print(two_lines(Usage(failed.what, failed.fix)), file=sys.stderr)
        return FAILED
    finally:
        line.end()
    return OK if is_fine else FAILED


def plan_of(values: Namespace) -> Plan:
    """Return what the command line asks for; raise Usage and InvalidArgument."""
    kind = kind_of(values.path or ".", list(values.program))
    ways = [way for way in (WINDOW, BROWSER, HEADLESS) if getattr(values, way)]
    if len(ways) > 1:
        both = " and ".join(f"--{way}" for way in ways)
        raise Usage(f"{both} exclude each other", "choose one, or none for the best there is")
    url: Address | None = None
    if values.url:
        if not isinstance(kind, Script):
            raise Usage(
                "--url is where a program listens, and there is none",
                "write the command behind two dashes: `-- COMMAND`",
            )
        url = address_of(values.url)
    default = Look()
    return Plan(
        kind=kind,
        environ=dict(os.environ),
        port=_number("--port", values.port, HIGHEST_PORT),
        url=url,
        way=ways[0] if ways else "",
        look=Look(
            width=_number("--width", values.width, LARGEST_SIDE) or default.width,
            height=_number("--height", values.height, LARGEST_SIDE) or default.height,
            title=values.title or "",
        ),
        dotfiles=values.dotfiles,
        capture=Path(values.capture) if values.capture else None,
    )


def _number(name: str, text: str | None, highest: int) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= highest:
        raise Usage(f"{name} is {text!r}", f"write a number from 1 to {highest}")
    return int(text)


class StatusLine:
    """One line that is written over in a terminal; plain lines anywhere else."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._shown = ""

    def status(self, text: str) -> None:
        """Say how it stands now."""
        line = one_line(f"hold dev: {text}")
        if not self._is_terminal:
            print(line, file=sys.stderr, flush=True)
            return
        width = render.print_width(sys.stderr.fileno())
        self._shown = render.cut(line, width - 1) if width else line
        self._write(ERASE + self._shown)

    def note(self, text: str) -> None:
        """Say something that stays, above the status."""
        line = one_line(f"hold dev: {text}")
        if self._is_terminal:
            self._write(f"{ERASE}{line}\n{self._shown}")
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the terminal below what was said."""
        if self._shown:
            self._write(ERASE)
            self._shown = ""

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
