"""A daemon that does as told, connection by connection, on a real socket; and its keeper."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from holdfast.errors import HoldfastError
from holdfast.keeper.wire import Channel, Gone
from holdfast.protocol.daemon_end import DaemonEnd, HelloReceived, RequestReceived
from holdfast.protocol.messages import Message
from tests.support.joined import WELCOME

Answer = Callable[[Message], Message | HoldfastError]
Act = Callable[["Conversation"], None]


class Conversation:
    """The daemon's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.core = DaemonEnd(now=0.0)

    def hear(self) -> object:
        """Return the next event; None at the end."""
        while (event := self.core.next_event()) is None:
            data = self.sock.recv(1 << 16)
            if not data:
                return None
            self.core.feed(data)
        return event

    def greet(self) -> None:
        assert isinstance(self.hear(), HelloReceived)
        self.core.welcome(WELCOME)
        self.write()

    def write(self) -> None:
        self.sock.sendall(b"".join(self.core.drain()))


def closes(_with: Conversation) -> None:
    """Dies before it says a word."""


def refuses(error: HoldfastError) -> Act:
    def act(conversation: Conversation) -> None:
        conversation.hear()
        conversation.core.refuse(error)
        conversation.write()

    return act


def dies_asked(conversation: Conversation) -> None:
    """Takes one request and dies without a reply."""
    conversation.greet()
    conversation.hear()


def is_mute(conversation: Conversation) -> None:
    """Accepts, and never says a word while the client waits."""
    while conversation.sock.recv(1 << 16):
        pass


def serves(answer: Answer) -> Act:
    def act(conversation: Conversation) -> None:
        conversation.greet()
        while isinstance(event := conversation.hear(), RequestReceived):
            result = answer(event.message)
            if isinstance(result, HoldfastError):
                conversation.core.fail(event.number, result)
            else:
                conversation.core.reply(event.number, result)
            conversation.write()

    return act


class _Listening:
    """Serve one connection after the other in a thread, until the block ends."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread out of accept
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                self.serve(sock)

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError


class ScriptedDaemon(_Listening):
    """Each connection meets the next act; the last act stays."""

    def __init__(self, path: Path, *acts: Act) -> None:
        super().__init__(path)
        self._acts = list(acts)

    def serve(self, sock: socket.socket) -> None:
        act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
        try:
            act(Conversation(sock))
        except ConnectionError:
            pass  # the client left in the middle


class ScriptedKeeper(_Listening):
    """Answers every question with the same status."""

    def __init__(self, path: Path, **daemon: Any) -> None:
        super().__init__(path)
        self._status = {"ok": True, "daemon": daemon}

    def serve(self, sock: socket.socket) -> None:
        sock.recv(1 << 16)
        try:
            Channel(sock).send(self._status)
        except Gone:
            pass
