"""The reader as a process: begin, hear keeper and daemon, work, end.

It ends when its keeper does, and with code 0: whoever comes after that keeper starts another.
"""

import os
import resource
import selectors
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast import __version__
from holdfast.config import Paths
from holdfast.config.load import load
from holdfast.errors import RemoteProtocolError
from holdfast.keeper import place
from holdfast.keeper.wire import Channel, Gone
from holdfast.reader.fence import Fence
from holdfast.reader.link import Link, LinkLost
from holdfast.reader.model import ScreenError

if TYPE_CHECKING:
    from holdfast.reader.desk import Desk

NICENESS = 10  # output and keys come first; pictures wait a little on a busy machine


def run(spec: dict[str, Any], fd: int) -> int:
    """Serve whichever daemon there is until the keeper ends."""
    os.nice(NICENESS)
    # A core has what was on the screens, and nobody would remove it.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _State.directory = spec["state"]
    channel = Channel(socket.socket(fileno=fd))
    config = load(Paths.find(os.environ, os.getuid()).config_file, os.environ)
    fence = Fence(Path(spec["runtime"]), __version__)
    try:
        try:
            from holdfast.reader.desk import Desk  # noqa: PLC0415 - it may not be possible here
            from holdfast.reader.ghostty import GhosttyScreen  # noqa: PLC0415

            GhosttyScreen.create(80, 24).close()  # the first one takes a third of a second
        except (ImportError, OSError, AttributeError, ScreenError) as error:
            return _unable(channel, error)
        channel.send({"op": "imported"})
        Reader(channel, Desk(fence, config.reader_memory)).run()
    except Gone:
        pass
    return 0


def _unable(channel: Channel, error: Exception) -> int:
    channel.send({"op": "unable", "reason": f"the terminal library cannot be used: {error}"})
    return 0


class _State:
    directory = ""


class Reader:
    """The loop: one thread, and one piece of work between two looks at who has something to say."""

    def __init__(self, channel: Channel, desk: "Desk") -> None:
        self._channel = channel
        self._desk = desk
        self._link: Link | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(channel, selectors.EVENT_READ, self._hear_keeper)

    def run(self) -> None:
        """Work until the keeper ends: then Gone is raised."""
        while True:
            for key, mask in self._selector.select(self._patience()):
                if self._selector.get_map().get(key.fd) is key:  # else closed a moment ago
                    key.data(mask)
            if not self._is_full:
                self._desk.turn(time.monotonic())
            self._tell()

    @property
    def _is_full(self) -> bool:
        return self._link is not None and self._link.is_full

    def _patience(self) -> float | None:
        if self._is_full:
            return None
        due = 0.0 if self._desk.is_busy else self._desk.deadline()
        return None if due is None else max(0.0, due - time.monotonic())

    def _hear_keeper(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._channel.flush()
        for body, fds in self._channel.receive():
            if body.get("op") == "daemon" and fds:
                self._unlink()
                self._link = Link(socket.socket(fileno=fds.pop()))
                self._selector.register(self._link, selectors.EVENT_READ, self._hear_daemon)
            for unknown in fds:
                os.close(unknown)

    def _hear_daemon(self, mask: int) -> None:
        assert self._link is not None
        try:
            if mask & selectors.EVENT_WRITE:
                self._link.flush()
            if mask & selectors.EVENT_READ:
                for said in self._link.receive():
                    self._desk.hear(said)
        except LinkLost:
            self._unlink()
        except RemoteProtocolError as error:
            # One of the two is of another version, or broken. Without it viewers get the tail
            # of the log; with an end of this process they would get it over and over.
            _report(f"the daemon says what makes no sense: {error}")
            self._unlink()

    def _tell(self) -> None:
        """Send what there is to tell, and listen only while there is room for the answers."""
        news, link = self._desk.drain(), self._link
        if link is None:
            return
        for said in news:
            link.say(said)
        try:
            link.flush()
        except LinkLost:
            self._unlink()
            return
        events = 0 if link.is_full else selectors.EVENT_READ
        if link.wants_to_write:
            events |= selectors.EVENT_WRITE
        if self._selector.get_key(link).events != events:
            self._selector.modify(link, events, self._hear_daemon)

    def _unlink(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._selector.unregister(link)
            link.close()
            self._desk.lost()


def _report(text: str) -> None:
    place.turn_over(f"{_State.directory}/reader.log")
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - that is reader.log
