"""Two clients and one session: who may change it, and how neither misses what happens.

Run it with `python examples/two_clients.py`. It uses a Holdfast of its own in a temporary
directory, kills its daemon with SIGKILL, and leaves nothing behind.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from holdfast.client.plain import Client, connect
from holdfast.config import Paths
from holdfast.errors import OwnerRequired
from holdfast.protocol.messages import (
    Claim,
    Create,
    Get,
    Input,
    Kill,
    Output,
    Release,
    Takeover,
    Wait,
)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "HOLDFAST_HOME": home}
        paths = Paths.find(environ, os.getuid())
        try:
            with (
                connect(paths, environ, label="ann's terminal") as ann,
                connect(paths, environ, label="bob's script") as bob,
            ):
                show(ann, bob)
        finally:
            command = [sys.executable, "-m", "holdfast", "daemon", "stop", "--yes"]
            subprocess.run(command, env=environ, check=True)


def show(ann: Client, bob: Client) -> None:
    program = [b"sh", b"-c", b"stty -echo; echo ready; exec cat"]
    environment = {os.fsencode(name): os.fsencode(text) for name, text in os.environ.items()}
    session = ann.call(
        Create(argv=program, cwd=os.fsencode(Path.cwd()), env=environment, name="shared")
    ).session
    print(f"ann creates {session.id} and owns it: {session.owner}")
    seen_by(ann, session.id, b"ready")
    ann.call(Release(session=session.id))
    print(f"ann claims it again: {ann.call(Claim(session=session.id)).owner}")

    try:
        bob.call(Input(session=session.id, offset=0, data=b"hello\n"))
    except OwnerRequired as refused:
        print(f"bob is refused: {refused.code}: {refused.what}\n                {refused.fix}")

    taken = bob.call(Takeover(session=session.id, reason="ann is at lunch"))
    bob.call(Input(session=session.id, offset=0, data=b"hello\n"))
    print(f"bob takes it over and types; it is owned by {taken.owner}")
    print(f"ann looks on and sees {seen_by(ann, session.id, b'hello')!r}")

    known = ann.events(0)
    numbers = [event.number for event in known.kept()]
    print(f"ann knows {len(numbers)} events, up to number {numbers[-1]}")
    os.kill(ann.welcome.pid, signal.SIGKILL)
    print("the daemon is killed with SIGKILL")
    bob.call(Kill(session=session.id, now=True))
    ended = bob.call(Wait(session=session.id, timeout=20), 30)
    print(f"bob kills the session: {ended.state} by signal {ended.exit_signal}")

    print(f"ann asks for what came after number {numbers[-1]}:")
    ann.call(Get(session=session.id))  # on a new connection, as the same client
    for event in ann.events(numbers[-1], session.id):
        print(f"    {event.number} {event.kind} {event.facts}")
        if event.kind == "exit":
            break


def seen_by(client: Client, session: str, wanted: bytes) -> bytes:
    """Follow a session's output by offset until *wanted* is in it."""
    data = b""
    while wanted not in data:
        data += client.call(Output(session=session, since=len(data), wait=5)).data
    return data


if __name__ == "__main__":
    main()
