"""Fuzz frames, codec and both ends: whatever arrives, nothing escapes and memory stays bounded.

`make fuzz T=60` runs every target for T seconds; a finding is kept as a file.
"""

import sys

import atheris

with atheris.instrument_imports(include=["holdfast"]):
    from holdfast.protocol.client_end import ClientEnd
    from holdfast.protocol.connection import ConnectionEnded
    from holdfast.protocol.daemon_end import DaemonEnd, HelloReceived, RequestReceived
    from holdfast.protocol.frames import HEADER, LIMIT
    from holdfast.protocol.messages import Hello, Pong, Role, Welcome
    from holdfast.protocol.version import OURS

HELLO = Hello(protocol=OURS, client_id="fuzz", role=Role.CONTROL)
WELCOME = Welcome(protocol=1, version="0", pid=1, started=0.0)


def one_input(data: bytes) -> None:
    choice = atheris.FuzzedDataProvider(data)
    greeted, at_client = choice.ConsumeBool(), choice.ConsumeBool()
    client, daemon = ClientEnd(HELLO, now=0), DaemonEnd(now=0)
    if greeted:
        daemon.feed(b"".join(client.drain()))
        daemon.next_event()
        daemon.welcome(WELCOME)
        client.feed(b"".join(daemon.drain()))
        client.next_event()
    end = client if at_client else daemon
    while choice.remaining_bytes():
        end.feed(choice.ConsumeBytes(choice.ConsumeIntInRange(1, 64)))
        while (event := end.next_event()) is not None:
            if isinstance(event, HelloReceived):
                daemon.welcome(WELCOME)
            if isinstance(event, RequestReceived):
                daemon.reply(event.number, Pong())
            if isinstance(event, ConnectionEnded):
                assert end.should_close
                return
        assert end._reader.held <= LIMIT + HEADER.size


atheris.Setup(sys.argv, one_input)
atheris.Fuzz()
