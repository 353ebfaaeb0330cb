"""One connection made by hand, for commands that must not wait for imports.

It speaks as much of protocol v1 as a good day needs: places, token, whose socket it is, hello,
a request and its reply. All else - no daemon, another version, any error - is `Unusual`: then
the whole command is done by the ordinary client. That one comes back under the same client id,
so what may have been sent here is not done twice, and every error has one wording.
"""

import _socket  # `socket` would cost more than all of this
import os
import sys

from holdfast import __version__
from holdfast.config.token import read_token
from holdfast.config.where import SOCKET_NAME, TOKEN_NAME, where
from holdfast.protocol.by_hand import CONTROL, HEADER, frame, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from holdfast.protocol.by_hand import Value

PROTOCOL = 1
LONGEST = 4 << 20  # bytes of a frame, as for every client
# Seconds. The ordinary client has more patience, and asks the keeper what is wrong.
CONNECT, GREETING, REPLY = 1.0, 1.0, 2.0


class Unusual(Exception):
    """This needs the ordinary client."""


class Quick:
    """A connection that is greeted when its `with` block begins, and says goodbye at its end."""

    def __init__(
        self, environ: "Mapping[str, str]", *, role: str, label: str, patience: float = REPLY
    ) -> None:
        self.client_id = os.urandom(10).hex()
        self._environ, self._role, self._label = environ, role, label
        self._patience = patience
        self._number = 0
        self._held = b""

    def __enter__(self) -> "Self":
        try:
            state, runtime, _config, _journal = where(self._environ, os.getuid())
            token = read_token(f"{state}/{TOKEN_NAME}", os.getuid())
            self._sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        except Exception as error:  # said better by who knows the words
            raise Unusual from error
        try:
            self._sock.settimeout(min(CONNECT, self._patience))
            self._sock.connect(f"{runtime}/{SOCKET_NAME}")
            self._distrust_strangers()
            self._greet(token)
        except BaseException as error:
            self._sock.close()
            raise _as_unusual(error) from error
        return self

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if kind is None:
                self._sock.sendall(frame(0, "goodbye", {}))
        except OSError:
            pass  # the daemon has just gone: there is nothing left to be released
        finally:
            self._sock.close()

    def call(self, kind: str, body: "Mapping[str, Value]") -> "dict[str, Any]":
        """Return the body of the reply; every other outcome is Unusual."""
        self._number += 1
        try:
            self._sock.settimeout(self._patience)
            self._sock.sendall(frame(self._number, kind, body))
            number, heard, reply = self._hear()
        except Exception as error:
            raise _as_unusual(error) from error
        if number != self._number or heard != kind:
            raise Unusual  # an error, or something that was told to everybody
        return reply

    # -- what it knows of the protocol

    def _distrust_strangers(self) -> None:
        if not hasattr(_socket, "SO_PEERCRED"):
            raise Unusual
        asked = self._sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        if int.from_bytes(asked[4:8], sys.byteorder) != os.getuid():
            raise Unusual

    def _greet(self, token: str) -> None:
        hello: dict[str, Value] = {
            "protocol": [PROTOCOL, PROTOCOL],
            "client_id": self.client_id,
            "role": self._role,
            "token": token,
            "label": self._label,
            "kind": "terminal",
        }
        self._sock.settimeout(min(GREETING, self._patience))
        self._sock.sendall(frame(0, "hello", hello))
        _number, heard, welcome = self._hear()
        known = welcome.get("protocol") == PROTOCOL and welcome.get("version") == __version__
        if heard != "welcome" or not known:
            raise Unusual

    def _hear(self) -> "tuple[int, str, dict[str, Any]]":
        """Return the next message; frames that are no message are for others."""
        while True:
            header = self._take(HEADER)
            size = int.from_bytes(header[:4], "big")
            if size > LONGEST:
                raise Unusual
            payload = self._take(size)
            if header[4] != CONTROL:
                continue
            message = unpack(payload)
            if not isinstance(message, list) or len(message) < 3:
                raise Unusual
            number, kind, body = message[:3]
            if not (isinstance(number, int) and isinstance(kind, str) and isinstance(body, dict)):
                raise Unusual
            return number, kind, body

    def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            data = self._sock.recv(max(size - len(self._held), 64 << 10))
            if not data:
                raise Unusual
            self._held += data
        taken, self._held = self._held[:size], self._held[size:]
        return taken


def _as_unusual(error: BaseException) -> BaseException:
    return Unusual() if isinstance(error, Exception) else error
