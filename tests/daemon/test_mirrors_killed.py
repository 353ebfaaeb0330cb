"""Mirrored sessions when the daemon, or the machine, dies: what was answered is in the log."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.errors import DaemonUnreachable, DiskFull, NotConnected
from holdfast.protocol.messages import Append, Appended, Du, Get
from holdfast.store.journal import Journal
from tests.support.failing import writing_nothing
from tests.support.home import Home, running_home, until
from tests.support.mirroring import SHELL, Mirrorer
from tests.support.torture import Killer

AHEAD = 8  # appends that are under way at a time
KILLS = 25
PORTION = 4 << 20  # bytes between two kills; all together less than a log keeps


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as running:
        yield running


class Spooler(threading.Thread):
    """Send a stream of bytes, several pieces ahead, whatever happens to the daemon.

    It begins again where the daemon's log ends; sometimes well before, as one that has lost
    count.
    """

    def __init__(self, home: Home, chance: random.Random) -> None:
        super().__init__()
        self.data = bytearray()
        """All that was ever sent, or may have been."""
        self.answered = 0
        self._goal = 0
        self.registrations = 0
        self._home = home
        self._chance = chance
        self._over = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._over.is_set():
                try:
                    with Mirrorer(self._home) as mine:
                        self.registrations += 1
                        self._send(mine)
                except (NotConnected, DaemonUnreachable):
                    continue  # it was killed
        except BaseException as error:
            self.error = error
            raise

    def goes_on(self) -> None:
        """Return once more has been answered, and let more be sent."""
        seen = self.answered
        self._goal = seen + PORTION
        until(lambda: self.answered > seen or self.error, "it to go on")

    def finish(self) -> None:
        self._over.set()
        self.join()
        assert self.error is None

    def _send(self, mine: Mirrorer) -> None:
        end = mine.registered.end
        assert self.answered <= end <= len(self.data), "what was answered is in the log"
        at = max(0, end - self._chance.choice([0, 0, 1, 5000, 100_000]))
        under_way = 0
        while not self._over.is_set():
            while under_way < AHEAD:
                if at >= self._goal:
                    at = max(0, at - 100_000)  # again what is there
                count = self._chance.choice([1, 80, 4000, 70_000])
                if at + count > len(self.data):
                    self.data += os.urandom(at + count - len(self.data))
                piece = bytes(self.data[at : at + count])
                mine.client.ask(Append(session=SHELL, offset=at, data=piece))
                at, under_way = at + count, under_way + 1
            mine.client.flush()
            for reply in mine.client.replies():
                assert isinstance(reply.result, Appended), reply.result
                self.answered = max(self.answered, reply.result.end)
                under_way -= 1


def test_a_daemon_killed_at_any_moment_has_what_it_answered_and_nothing_else(home: Home) -> None:
    """T14: the log equals what was appended, byte for byte, however often it was sent."""
    chance = random.Random(8)
    spooler = Spooler(home, chance)
    home.hold("daemon", "start")
    spooler.start()
    try:
        killer = Killer(home, chance)
        for _ in range(KILLS):
            spooler.goes_on()
            killer.kill_next()
        killer.settle()
        spooler.goes_on()
    finally:
        spooler.finish()
    with home.client() as client:
        log = home.output(client, SHELL)
    assert spooler.answered <= len(log)
    assert log == spooler.data[: len(log)]
    assert spooler.registrations > KILLS // 2


def test_an_end_that_was_answered_is_known_to_the_next_daemon(home: Home) -> None:
    for number in range(5):
        with Mirrorer(home, f"mirr{number}") as mine:
            daemon = home.running()["daemon"]["pid"]
            mine.end(0, code=number)
            os.kill(daemon, signal.SIGKILL)
        home.next_daemon(daemon)
        with home.client() as client:
            info = client.call(Get(session=f"mirr{number}"))
        assert (info.state, info.exit_code) == ("exited", number)
        assert '"kind":"exit"' in home.hold("events", f"mirr{number}", "--json")


def test_after_a_power_cut_a_torn_end_is_a_gap_and_the_client_goes_on(home: Home) -> None:
    data = os.urandom(700_000)
    with Mirrorer(home) as mine:
        mine.append(0, data)
        _other_boot(home)
    (segment,) = (home.paths.state / "sessions" / SHELL).glob("*.log")
    os.truncate(segment, 600_000)
    with Mirrorer(home) as again:
        end = again.registered.end
        assert again.append(end, b"after") == end + 5
        (use,) = again.client.call(Du()).sessions
        torn = [(start, stop) for start, stop, reason in use.missing if reason == "torn"]
        assert torn
        assert torn[-1][1] <= end
        info = again.client.call(Get(session=SHELL))
    assert (info.state, info.offset) == ("running", end + 5)


def test_a_reboot_starts_nothing_and_waits_for_the_client(home: Home) -> None:
    with Mirrorer(home, argv=[b"/bin/bash"], cwd=b"/tmp") as mine:
        mine.append(0, b"$ ")
        _other_boot(home)
    with home.client() as client:
        info = client.call(Get(session=SHELL))
        assert (info.state, info.recovery, info.pid) == ("running", "adopted", None)
    with Mirrorer(home) as again:
        assert again.append(2, b"ls") == 4


def _other_boot(home: Home) -> None:
    """End everything, and have the next start find another boot."""
    home.power_off()
    with Journal.open(home.paths.journal) as journal:
        journal.note("boot", "another boot").result()


def test_a_full_disk_is_said_and_what_is_sent_again_goes_on(home: Home) -> None:
    with Mirrorer(home) as mine:
        mine.append(0, b"before")
        with writing_nothing(home.running()["daemon"]["pid"]):
            with pytest.raises(DiskFull):
                mine.append(6, b" and after")
            assert mine.client.call(Get(session=SHELL)).stalled == "disk-full"
            assert mine.append(0, b"before") == 6  # nothing is to be written
        assert mine.append(6, b" and after") == 16
        assert mine.client.call(Get(session=SHELL)).stalled is None
        assert home.output(mine.client, SHELL) == b"before and after"
