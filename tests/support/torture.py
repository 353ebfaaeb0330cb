"""Kill the daemon again and again, and compare every byte afterwards.

Output: programs print numbered lines at full speed. Input: a program writes down what it
reads. The daemon is killed at random moments, half of them while it is still starting.
"""

import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from holdfast.errors import HoldfastError
from holdfast.protocol.messages import Input, SessionInfo
from tests.support.asking import Client
from tests.support.home import Home, until

FLOODS = 3
ROUND_BYTES = 300 << 20  # then the logs are compared and thrown away, or a disk would fill up
LATEST_KILL = 0.06  # seconds after a daemon appeared

# Ended by a file, not by a signal: a signal that interrupts a write makes Python's buffered
# writer and the terminal disagree about how much was written (seen without Holdfast).
FLOOD = """
import os, sys
number = 0
def put(data):
    while data:
        data = data[os.write(1, data):]
while not os.path.exists(sys.argv[1]):
    put(b"".join(b"%d\\n" % n for n in range(number, number + 500)))
    number += 500
put(b"end %d\\n" % number)
"""
WRITER = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"ready")
with open(sys.argv[1], "ab", buffering=0) as file:
    while data := os.read(0, 65536):
        file.write(data)
"""


@dataclass
class Tally:
    """What a torture found."""

    kills: int = 0
    starting: int = 0
    bytes: int = 0
    lost: int = 0
    doubled: int = 0

    def __iadd__(self, other: "Tally") -> Self:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.starting} while starting), {self.bytes:,} bytes compared, "
            f"losses {self.lost}, duplicates {self.doubled}"
        )


class Killer:
    """Kill daemons at random moments, and count."""

    def __init__(self, home: Home, chance: random.Random) -> None:
        self._home = home
        self._chance = chance
        self._last = 0
        self.tally = Tally()

    def kill_next(self) -> None:
        """Kill the next daemon: as it starts, as it serves, or when a spare stands by."""
        wanted = self._chance.choices(["starting", "running", "spare"], [2, 5, 1])[0]
        daemon = until(lambda: self._fresh(wanted), f"another daemon that is {wanted}")
        time.sleep(self._chance.random() * LATEST_KILL)  # the moment is the experiment
        self._last = daemon["pid"]
        os.kill(daemon["pid"], signal.SIGKILL)
        self.tally.kills += 1
        self.tally.starting += daemon["state"] != "running"

    def kill(self, times: int) -> None:
        for _ in range(times):
            self.kill_next()

    def settle(self) -> None:
        """Wait for a daemon that will not be killed."""
        until(lambda: self._fresh("running"), "a daemon that may live")

    def _fresh(self, wanted: str) -> dict[str, Any] | None:
        # Killed so often, it would be started again only every 5 s.
        daemon: dict[str, Any] = self._home.ask("try")["daemon"]
        if not daemon["pid"] or daemon["pid"] == self._last:
            return None
        is_there = {"starting": True, "running": daemon["state"] == "running"}
        return daemon if is_there.get(wanted, bool(daemon["spare"])) else None


def torture_output(home: Home, kills: int, seed: int) -> Tally:
    """Kill the daemon under floods; return what the logs lack or have twice."""
    killer = Killer(home, random.Random(seed))
    tally = Tally()
    stop = home.paths.state / "stop"
    while tally.kills < kills:
        stop.unlink(missing_ok=True)
        with home.client() as client:
            flood = (sys.executable, "-c", FLOOD, str(stop))
            floods = [home.create(client, *flood) for _ in range(FLOODS)]
        while killer.tally.kills < kills and _printed(home, floods) < ROUND_BYTES:
            killer.kill_next()
        killer.settle()
        with home.client() as client:
            stop.touch()
            for session in floods:
                home.ended(client, session.id)
                tally += _compared(_log(home, session))
        tally.kills, tally.starting = killer.tally.kills, killer.tally.starting
    return tally


def torture_input(home: Home, kills: int, seed: int, directory: Path) -> Tally:
    """Kill the daemon while somebody types; return what the program lacks or had twice."""
    killer = Killer(home, random.Random(seed))
    received = directory / f"received-{seed}"
    with home.client() as client:
        session = home.create(client, sys.executable, "-c", WRITER, str(received))
        until(lambda: home.output(client, session.id), "the program to be ready")
    typist = Typist(home, session.id)
    typist.start()
    while killer.tally.kills < kills:
        killer.kill_next()
    typist.finish()
    wanted = b"".join(b"%08d\n" % n for n in range(typist.sent))
    until(lambda: received.stat().st_size >= len(wanted), "the last input")
    got = received.read_bytes()
    tally = _lines_compared(wanted.split(b"\n"), got.split(b"\n"))
    tally.bytes, tally.kills, tally.starting = len(got), kills, killer.tally.starting
    return tally


class Typist(threading.Thread):
    """Type numbered lines, each once, whatever happens to the daemon."""

    def __init__(self, home: Home, session: str) -> None:
        super().__init__()
        self.sent = 0
        self._home = home
        self._session = session
        self._done = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            with self._home.client() as client:
                while not self._done.is_set():
                    self._type_once(client)
        except HoldfastError as error:
            self._error = error

    def _type_once(self, client: Client) -> None:
        offset = self.sent * 9
        line = b"%08d\n" % self.sent
        taken = client.call(Input(session=self._session, offset=offset, data=line))
        assert taken.end == offset + len(line)
        self.sent += 1

    def finish(self) -> None:
        self._done.set()
        self.join()
        if self._error is not None:
            raise self._error


def _printed(home: Home, floods: list[SessionInfo]) -> int:
    return sum(
        _log_directory(home, one).joinpath(last).stat().st_size + int(last[:20])
        for one in floods
        for last in [max(_segments(home, one))]
    )


def _segments(home: Home, session: SessionInfo) -> list[str]:
    directory = _log_directory(home, session)
    return sorted(file.name for file in directory.glob("*.log"))


def _log_directory(home: Home, session: SessionInfo) -> Path:
    return home.paths.state / "sessions" / session.id


def _log(home: Home, session: SessionInfo) -> bytes:
    """Read the whole log from its files and throw them away."""
    data = bytearray()
    for name in _segments(home, session):
        path = _log_directory(home, session) / name
        assert int(name[:20]) == len(data), "a segment does not follow the one before it"
        data += path.read_bytes()
        path.unlink()
    return bytes(data)


def _compared(log: bytes) -> Tally:
    lines = log.replace(b"\r\n", b"\n").split(b"\n")
    assert lines[-1] == b""
    last = lines[-2]
    count = int(last.removeprefix(b"end ")) if last.startswith(b"end ") else len(lines)
    wanted = [b"%d" % n for n in range(count)] + [b"end %d" % count, b""]
    tally = _lines_compared(wanted, lines)
    tally.bytes = len(log)
    return tally


def _lines_compared(wanted: list[bytes], got: list[bytes]) -> Tally:
    if got == wanted:
        return Tally()
    known = set(wanted)
    seen = set(got)
    lost = len(known - seen)
    return Tally(lost=lost, doubled=max(1 if not lost else 0, len(got) - len(seen)))
