"""A raw client that looks at one session: it keeps what it gets, and comes back by itself.

It holds the daemon to what is promised: bytes in order, gaps said, checksums that agree.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec.structs import replace

from holdfast.client.reach import open_socket
from holdfast.errors import HoldfastError
from holdfast.protocol.client_end import EventReceived, ReplyReceived, Welcomed
from holdfast.protocol.connection import ConnectionEnded, DataReceived
from holdfast.protocol.messages import (
    Ack,
    Attach,
    Attached,
    Detach,
    Detached,
    Digest,
    Finished,
    Gap,
    Hello,
    Lag,
    Message,
    Role,
    Snapshot,
)
from holdfast.protocol.version import OURS
from holdfast.session.held import Held
from tests.support.home import PATIENCE, Home
from tests.support.link import Link

ACK_EVERY = 64 * 1024


class Looker:
    """One viewer on a connection of its own, to *path* when that is not the daemon's."""

    def __init__(
        self,
        home: Home,
        session: str,
        *,
        client_id: str = "",
        role: Role = Role.STREAM,
        keep: bool = True,
        acks: bool = True,
        path: Path | None = None,
        **asked: Any,
    ) -> None:
        self._path = path or home.paths.socket
        self._asked = Attach(session=session, **asked)
        self._hello = Hello(protocol=OURS, client_id=client_id or f"looker-{id(self)}", role=role)
        self._keep = keep
        self.acks = acks
        self.data = bytearray()
        """All bytes, if they are kept."""
        self.sha = hashlib.sha256()
        self.count = 0
        self.gaps: list[Gap] = []
        self.snapshots: list[Snapshot] = []
        self.levels: list[str] = []
        self.digests = 0
        self.finished: Finished | None = None
        self.attachments: list[Attached] = []
        self.held: Held
        try:
            self._connect(self._asked)
        except BaseException:
            self.link.close()
            raise

    # -- the connection

    def _connect(self, asked: Attach) -> None:
        self.link = Link(open_socket(str(self._path)), self._hello)
        self._wait_for(Welcomed)
        self.ask(asked, Attached)

    def _begin(self, attached: Attached) -> None:
        self.attached, is_first = attached, not self.attachments
        self.attachments.append(attached)
        if attached.outcome == "exact" and not is_first:
            assert attached.offset == self.held.offset
            self.held.epoch = attached.epoch
        else:
            self.held = Held(attached.epoch, attached.offset)
        self._acked = self.held.offset

    def reconnect(self, **other: Any) -> Attached:
        """Come back with what is held, or with something else."""
        self.link.close()
        epoch, since, length, crc = self.held.tail()
        asked = replace(self._asked, epoch=epoch, since=since, length=length, crc=crc)
        self._connect(replace(asked, **other))
        return self.attached

    def ask(self, message: Message, reply: type[Any]) -> Any:
        number = self.link.request(message)
        while True:
            found = self._wait_for(ReplyReceived)
            if found.number == number:
                if isinstance(found.result, HoldfastError):
                    raise found.result
                assert isinstance(found.result, reply)
                return found.result

    def detach(self) -> int:
        found = self.ask(Detach(viewer=self.attached.viewer), Detached)
        return int(found.offset)

    def close(self) -> None:
        self.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- looking

    def look(self, seconds: float) -> bool:
        """Take in what arrives next; return whether anything did."""
        if not self.link.wait(time.monotonic() + seconds):
            return False
        self._hear()
        return True

    def until(self, is_enough: Callable[[], object], patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not is_enough():
            assert time.monotonic() < deadline, f"not within {patience:g} s, at {self.held.offset}"
            self.look(deadline - time.monotonic())

    def until_finished(self, patience: float = PATIENCE) -> Finished:
        self.until(lambda: self.finished, patience)
        assert self.finished is not None
        return self.finished

    def until_offset(self, offset: int, patience: float = PATIENCE) -> None:
        self.until(lambda: self.held.offset >= offset, patience)

    def ack(self) -> None:
        self._acked = self.held.offset
        self.link.notify(Ack(viewer=self.attached.viewer, offset=self._acked))

    def _wait_for(self, kind: type[Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self.link.wait(deadline), f"no {kind.__name__} within {PATIENCE:g} s"
            if found := [event for event in self._hear() if isinstance(event, kind)]:
                return found[0]

    def _hear(self) -> list[Any]:
        events = self.link.receive()
        for event in events:
            if isinstance(event, DataReceived):
                self._take(event)
            elif isinstance(event, ReplyReceived) and isinstance(event.result, Attached):
                self._begin(event.result)  # the first bytes may have come with it
            elif isinstance(event, EventReceived):
                self._told(event.message)
            elif isinstance(event, ConnectionEnded):
                raise event.error or ConnectionResetError("the daemon is gone")
        enough = min(ACK_EVERY, self._asked.window // 4)
        if self.acks and hasattr(self, "held") and self.held.offset - self._acked >= enough:
            self.ack()
        return events

    def _take(self, data: DataReceived) -> None:
        assert data.channel == self.attached.viewer
        self.held.feed(data.offset, data.payload)
        self.sha.update(data.payload)
        self.count += len(data.payload)
        if self._keep:
            self.data += data.payload

    def _told(self, message: Message) -> None:
        if isinstance(message, Gap):
            assert message.start == self.held.offset
            assert message.end > message.start
            self.gaps.append(message)
            self.held.skip(message.end)
        elif isinstance(message, Snapshot):
            assert message.offset == self.held.offset, "a snapshot comes behind its gap"
            self.snapshots.append(message)
        elif isinstance(message, Digest):
            assert self.held.agrees(message.offset, message.crc)
            self.digests += 1
        elif isinstance(message, Lag):
            self.levels.append(message.level)
        elif isinstance(message, Finished):
            assert message.offset == self.held.offset
            self.finished = message
