"""What the protocol core costs: a data frame under 2 us each way, a message under 10 us.

Floor in the same run: packing and unpacking the bare header with `struct`.
"""

import time
import tracemalloc
from collections.abc import Callable

from holdfast.errors import NotFound
from holdfast.protocol import codec
from holdfast.protocol.client_end import ClientEnd
from holdfast.protocol.daemon_end import DaemonEnd, HelloReceived, RequestReceived
from holdfast.protocol.frames import DATA_HEADER, LIMIT, FrameReader, data_frame
from holdfast.protocol.messages import Get, Hello, OutputChunk, Role, Welcome
from holdfast.protocol.version import OURS

ROUNDS, CALLS = 7, 20_000
ERROR = NotFound(session="k3v9qd")
PAYLOAD = memoryview(bytes(16 * 1024))


def best(call: Callable[[], object]) -> float:
    """Return microseconds a call in the best of several rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        times.append(time.perf_counter() - start)
    return min(times) / CALLS * 1e6


def opened() -> tuple[ClientEnd, DaemonEnd]:
    client, daemon = (
        ClientEnd(Hello(protocol=OURS, client_id="b", role=Role.CONTROL), now=0),
        DaemonEnd(now=0),
    )
    daemon.feed(b"".join(client.drain()))
    assert isinstance(daemon.next_event(), HelloReceived)
    daemon.welcome(Welcome(protocol=1, version="0", pid=1, started=0))
    client.feed(b"".join(daemon.drain()))
    client.next_event()
    return client, daemon


def main() -> None:
    whole = b"".join(data_frame(7, 1 << 40, PAYLOAD))
    reader, (client, daemon) = FrameReader(LIMIT), opened()
    get = Get(session="k3v9qd")
    chunk = OutputChunk(offset=0, data=b"x" * 100, end=100, final=False)
    asked = codec.encode(1, "get", get)

    def decode_frame() -> None:
        reader.feed(whole)
        reader.next_frame()
        reader.next_frame()

    def decode_in_connection() -> None:
        client.feed(whole)
        client.next_event()
        client.next_event()

    def round_trip() -> None:
        client.request(get)
        daemon.feed(b"".join(client.drain()))
        event = daemon.next_event()
        daemon.next_event()
        assert isinstance(event, RequestReceived)
        daemon.fail(event.number, ERROR)
        client.feed(b"".join(daemon.drain()))
        client.next_event()
        client.next_event()

    def decode_message() -> None:
        codec.read_body(codec.open_envelope(asked[5:]), Get)

    rows = [
        ("floor: struct header alone, pack", best(lambda: DATA_HEADER.pack(1, 2, 3, 4)), None),
        ("floor: struct header alone, unpack", best(lambda: DATA_HEADER.unpack_from(whole)), None),
        ("data frame 16 KiB, encode", best(lambda: data_frame(7, 1 << 40, PAYLOAD)), 2.0),
        ("data frame 16 KiB, decode", best(decode_frame), 2.0),
        ("data frame 16 KiB, heard by a connection", best(decode_in_connection), None),
        ("control message, encode", best(lambda: codec.encode(1, "get", get)), 10.0),
        (
            "control message with bytes, encode",
            best(lambda: codec.encode(1, "output", chunk)),
            10.0,
        ),
        ("control message, decode", best(decode_message), 10.0),
        ("request and error reply through both ends", best(round_trip), None),
    ]
    for name, micros, bar in rows:
        verdict = "" if bar is None else f"   bar {bar:g} us: {'met' if micros < bar else 'MISSED'}"
        print(f"{name:45} {micros:7.2f} us{verdict}")
    print(
        f"bytes allocated by encoding a 16 KiB data frame: {allocated()} (no copy of the payload)"
    )


def allocated() -> int:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = data_frame(7, 0, PAYLOAD)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept[1] is PAYLOAD
    return after - before


if __name__ == "__main__":
    main()
