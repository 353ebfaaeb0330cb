"""A client of Holdfast in a process of its own, as lean as the protocol allows.

It receives into one buffer, parses the headers of frames, insists on every byte, and
acknowledges each 256 KiB. Told by lines on its standard input what to measure.
"""

import json
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "src")]

from holdfast.protocol import codec
from holdfast.protocol.frames import DATA, DATA_HEADER, HEADER
from holdfast.protocol.messages import Ack, Attach, Attached, Hello, Input, Role
from holdfast.protocol.version import OURS

ACK_EVERY = 256 * 1024
BUFFER = 1 << 20


class Receiver:
    """One connection with one viewer."""

    def __init__(self, path: str, session: str, client_id: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(path)
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._kept = 0  # bytes at the front that are no whole frame yet
        self._left = 0  # of the payload of a data frame
        self.offset = self._acked = 0
        self._session = session
        self._number = 1
        hello = Hello(protocol=OURS, client_id=client_id, role=Role.CONTROL)
        self._sock.sendall(codec.encode(0, "hello", hello))
        self._control("welcome")
        asked = Attach(session=session, policy="lossless")
        self._sock.sendall(codec.encode(1, "attach", asked))
        attached = codec.read_body(self._control("attach"), Attached)
        self._viewer, self.offset = attached.viewer, attached.offset
        self._acked = self.offset

    def _control(self, kind: str) -> codec.Envelope:
        while True:
            for payload in self.receive():
                envelope = codec.open_envelope(payload)
                if envelope.kind == kind:
                    return envelope
                raise ConnectionError(f"{envelope.kind} instead of {kind}: {payload!r}")

    def key(self, typed: int) -> bytes:
        """Return the frame of one key, before which so many were typed."""
        self._number += 1
        message = Input(session=self._session, offset=typed, data=b"x")
        return codec.encode(self._number, "input", message)

    def send(self, frame: bytes) -> None:
        self._sock.sendall(frame)

    def receive(self) -> list[bytes]:
        """Take what has arrived; return the payloads of control frames."""
        count = self._sock.recv_into(self._view[self._kept :])
        if not count:
            raise ConnectionResetError("the daemon is gone")
        stop, controls = self._kept + count, []
        at = min(self._left, stop)
        self._left -= at
        self.offset += at
        while stop - at >= DATA_HEADER.size:
            length, kind = HEADER.unpack_from(self._buffer, at)
            if kind == DATA:
                _, _, _, offset = DATA_HEADER.unpack_from(self._buffer, at)
                if offset != self.offset:
                    raise ConnectionError(f"bytes at {offset}, expected at {self.offset}")
                at += DATA_HEADER.size
                size = length - DATA_HEADER.size + HEADER.size
                part = min(size, stop - at)
                at += part
                self.offset += part
                self._left = size - part
            elif stop - at < HEADER.size + length:
                break
            else:
                controls.append(bytes(self._view[at + HEADER.size : at + HEADER.size + length]))
                at += HEADER.size + length
        self._kept = stop - at
        self._view[: self._kept] = self._view[at:stop]
        if self.offset - self._acked >= ACK_EVERY:
            self._acked = self.offset
            self.send(codec.encode(0, "ack", Ack(viewer=self._viewer, offset=self.offset)))
        return controls


def main() -> None:
    path, session, name = sys.argv[1:]
    receiver, typed = Receiver(path, session, name), 0
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "take":
            types = words[2] == "type"
            found = _take(receiver, int(words[1]), receiver.key(typed) if types else b"")
            typed += types
        else:
            found = _echoes(receiver, typed, int(words[1]), float(words[2]), float(words[3]))
            typed += len(found)
        print(json.dumps(found), flush=True)


def _take(receiver: Receiver, size: int, key: bytes) -> list[float]:
    """Return when so many bytes began to be awaited, perhaps after a key, and when they came."""
    begin, end = time.monotonic(), receiver.offset + size
    receiver.send(key)
    while receiver.offset < end:
        receiver.receive()
    return [begin, time.monotonic()]


def _echoes(
    receiver: Receiver, typed: int, count: int, seconds: float, pause: float
) -> list[float]:
    """Return how long each took: at most so many, for at most so long, so far apart."""
    times: list[float] = []
    until = time.monotonic() + seconds
    while len(times) < count and time.monotonic() < until:
        time.sleep(pause)
        frame, end = receiver.key(typed + len(times)), receiver.offset + 1
        begin = time.perf_counter()
        receiver.send(frame)
        while receiver.offset < end:
            receiver.receive()
        times.append(time.perf_counter() - begin)
    return times


class Client:
    """The process, from outside."""

    def __init__(self, path: Path, session: str, name: str, owned: ExitStack) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(path), session, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        owned.callback(self.process.wait)
        owned.callback(self.process.kill)

    def ready(self) -> "Client":
        if self._line() != "ready\n":
            raise ConnectionError("the client could not attach")
        return self

    def ask(self, *words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self) -> list[float]:
        found: list[float] = json.loads(self._line())
        return found

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


if __name__ == "__main__":
    main()
