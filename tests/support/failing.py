"""Where every kind of error can be had: a real daemon, one of its clients, and raw bytes."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from holdfast.errors import HoldfastError
from holdfast.protocol import codec
from holdfast.protocol.frames import LIMIT, Control, FrameReader
from holdfast.protocol.messages import (
    FAILURE,
    HELLO,
    Failure,
    Hello,
    Message,
    Role,
    SessionInfo,
)
from holdfast.protocol.version import OURS, Versions
from tests.support.asking import Client
from tests.support.home import Home
from tests.support.peer import rest_of, silent


class Said(NamedTuple):
    """An error as its user gets it, and the value at fault that its message has to name."""

    error: HoldfastError
    value: str


@dataclass(frozen=True)
class Scene:
    """A daemon that wants a token, one of its clients, and room for files."""

    home: Home
    client: Client
    place: Path
    token: str

    def living(self) -> SessionInfo:
        return self.home.create(self.client, "cat")

    def ended(self) -> SessionInfo:
        session = self.home.create(self.client, "echo", "some words")
        return self.home.ended(self.client, session.id)

    def failed(self, message: Message, client: Client | None = None) -> HoldfastError:
        with pytest.raises(HoldfastError) as caught:
            (client or self.client).call(message)  # type: ignore[call-overload]
        return caught.value

    def not_started(self, *argv: str, cwd: str = "/") -> HoldfastError:
        return self.failed(self.home.create_request(*argv, cwd=cwd))

    def hello(self, client_id: str = "raw", protocol: Versions = OURS) -> bytes:
        """A handshake in bytes, whatever a client of ours would think of it."""
        hello = Hello(protocol=protocol, client_id=client_id, role=Role.CONTROL, token=self.token)
        return codec.encode(0, HELLO, hello)

    def told(self, *said: bytes) -> HoldfastError:
        """Say bytes on a connection of their own, up to its end; return the first error heard."""
        with silent(self.home) as sock:
            sock.sendall(b"".join(said))
            heard = rest_of(sock)
        return next(_errors(heard))


@contextmanager
def writing_nothing(pid: int) -> Iterator[None]:
    """Let a process write to no file: for it, every disk is full."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def _errors(heard: bytes) -> Iterator[HoldfastError]:
    frames = FrameReader(LIMIT)
    frames.feed(heard)
    while (frame := frames.next_frame()) is not None:
        assert isinstance(frame, Control)
        envelope = codec.open_envelope(frame.payload)
        if envelope.kind == FAILURE:
            yield codec.error_of(codec.read_body(envelope, Failure))
