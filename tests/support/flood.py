"""A session that prints numbered lines, so that a lost or doubled byte is seen."""

import sys
from pathlib import Path

from holdfast.protocol.messages import SessionInfo
from tests.support.asking import Client
from tests.support.home import Home, until

# At the speed of a busy build, not of `cat`: what is tested is the moment, not the volume.
NUMBERS = """
import os, sys, time
number = 0
while not os.path.exists(sys.argv[1]):
    data = b"".join(b"%d\\n" % n for n in range(number, number + 100))
    while data:
        data = data[os.write(1, data):]
    number += 100
    time.sleep(float(sys.argv[2]))
os.write(1, b"end %d\\n" % number)
"""


class Flood:
    """A program that prints until it is told to stop."""

    def __init__(self, home: Home, client: Client, pause: float = 0.001) -> None:
        self._home = home
        self._stop = Path(home.paths.state) / f"stop-{id(self)}"
        argv = (sys.executable, "-I", "-S", "-c", NUMBERS, str(self._stop), str(pause))
        self.info = home.create(client, *argv)
        self.id = self.info.id

    def grows(self, client: Client) -> None:
        """Wait until a daemon has taken in more."""
        begin = self._home.offset(client, self.id)
        until(lambda: self._home.offset(client, self.id) > begin, "more output")

    def finish(self, client: Client) -> SessionInfo:
        """Stop the program and insist on every line, once, in order."""
        self._stop.touch()
        info = self._home.ended(client, self.id)
        lines = self._home.output(client, self.id).replace(b"\r\n", b"\n").splitlines()
        count = int(lines[-1].removeprefix(b"end "))
        assert lines == [*(b"%d" % n for n in range(count)), b"end %d" % count]
        assert info.pid == self.info.pid
        return info
