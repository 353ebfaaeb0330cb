"""The program behind the address, as a session: what it prints, where it listens, its end."""

import asyncio
import codecs
import os
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from holdfast.client.aio import Client
from holdfast.client.session import Session
from holdfast.client.view import Chunk
from holdfast.dev.upstream import Address, address_of
from holdfast.errors import HoldfastError
from holdfast.marks.plain import plain as text_of
from holdfast.protocol.messages import SessionInfo

TAIL = 200  # lines that are remembered
SHOWN = 20  # lines that are shown when it has ended
MOST_ADDRESSES = 32  # a server that logs each request with its URL prints them for days
LONGEST_LINE = 2000  # characters
SIZE = (120, 40)  # of its terminal: long lines are not broken on their way to us
GRACE = 10.0  # seconds for the end of a program that was told to end

_URL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|[\w-]+\.localhost)(?::\d+)?[^\s\"'<>)\]]*"
)


class Program:
    """One life of the program: started once, until it ends."""

    def __init__(self, client: Client, on_line: Callable[[str], None]) -> None:
        self._client = client
        self._on_line = on_line
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._lines: deque[str] = deque(maxlen=TAIL)
        self._reading: asyncio.Task[None] | None = None
        self.session: Session | None = None
        self.addresses: list[Address] = []
        """Where it says that it listens, in the order in which it says so."""

    async def start(
        self, argv: Sequence[str], *, folder: Path, environ: Mapping[str, str], name: str
    ) -> None:
        """Start it; raise what the daemon says."""
        # Never again by itself: a server that nobody looks at would only hold its port.
        self.session = await self._client.create(
            *argv, cwd=folder, env=dict(environ.items()), size=SIZE, name=name, restore="never"
        )
        self._reading = asyncio.create_task(self._read())

    async def ended(self) -> SessionInfo:
        """Return how it ended, once it has and all that it printed is here."""
        assert self.session is not None
        assert self._reading is not None
        info = await self.session.wait()
        # What is left in its terminal is on its way; whoever keeps that open is not waited for.
        await asyncio.wait([self._reading], timeout=GRACE)
        return info

    async def stop(self) -> None:
        """End it, if it lives; twice does no harm."""
        if self.session is not None:
            try:
                await self.session.kill(takeover=True, timeout=GRACE)
                await self.session.wait(GRACE)
            except HoldfastError:
                pass  # it has ended, or the daemon has gone: nothing more can be done from here
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def tail(self) -> list[str]:
        """Return the last lines that it printed."""
        lines = [*self._lines, plain(self._rest)]
        return [line for line in lines if line.strip()][-SHOWN:]

    async def _read(self) -> None:
        assert self.session is not None
        async with self.session.output(0) as output:
            async for item in output:
                if isinstance(item, Chunk):
                    self._printed(self._decoder.decode(item.data))
        if self._rest:
            self._printed("\n")

    def _printed(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        # A bar that is drawn over and over without a new line would grow for ever.
        self._rest = self._rest[-LONGEST_LINE:]
        for line in lines:
            self._line(plain(line))

    def _line(self, line: str) -> None:
        self._lines.append(line)
        note_addresses(line, self.addresses)
        self._on_line(line)


def note_addresses(line: str, known: list[Address]) -> None:
    """Add to *known* where a line says that something listens, each place once."""
    for found in _URL.findall(line):
        try:
            address = address_of(found.rstrip(".,;:"))
        except HoldfastError:
            continue  # not one that we could show
        if address not in known and len(known) < MOST_ADDRESSES:
            known.append(address)


def plain(line: str) -> str:
    """Return a line as a terminal would show it in the end."""
    # Cut first: a sequence that never ends must not cost more than a line.
    return text_of(line[-4 * LONGEST_LINE :])[:LONGEST_LINE]


def environment(environ: Mapping[str, str], port: int | None) -> dict[str, str]:
    """Return what the program is started with: ours, and the port that it may have."""
    kept = {name: text for name, text in environ.items() if name not in ("COLUMNS", "LINES")}
    if kept.get("TERM", "") in ("", "dumb"):
        kept["TERM"] = "xterm-256color"
    # Told to open a browser, it would show another address than ours.
    kept["BROWSER"] = "none"
    if port is not None:
        kept |= {"PORT": str(port), "HOST": "127.0.0.1"}
    return kept


def searched(argv: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Return the words with the program's path made whole: the session starts elsewhere."""
    first = argv[0]
    if os.sep in first and not Path(first).is_absolute() and (folder / first).exists():
        return (str(folder / first), *argv[1:])
    return tuple(argv)
