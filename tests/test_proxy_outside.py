"""A fault proxy obeys from outside: a line is a command, and has one answer."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.support.both_ends import FRAME, BothEnds, heard
from tests.support.home import ROOT
from tests.support.peer import rest_of
from tests.support.proxying.console import obey

EVERY_COMMAND = """
cut
cut-after 100000
cut-after-frame 100 up
half-open
delay 0.1
throttle 1000 down
duplicate 7
reorder 8 up
freeze
thaw
0 freeze up
-1 thaw
future delay 2
heal
refuse 3
accept
gone
back
"""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[BothEnds]:
    with ExitStack() as stack:
        yield BothEnds(tmp_path, stack)


class Outside:
    """A proxy in a process of its own."""

    def __init__(self, says: IO[str], hears: IO[str]) -> None:
        self._says, self._hears = says, hears

    def answer(self) -> str:
        return self._hears.readline().strip()

    def say(self, line: str) -> str:
        self._says.write(line + "\n")
        self._says.flush()
        return self.answer()


@contextmanager
def outside(listen: Path, target: Path) -> Iterator[Outside]:
    words = [sys.executable, "-m", "tests.support.proxy", str(listen), str(target)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Outside(process.stdin, process.stdout)
    assert process.returncode == 0


@pytest.mark.slow
def test_a_proxy_in_a_process_of_its_own_does_as_it_is_told(
    scene: BothEnds, tmp_path: Path
) -> None:
    scene.path = tmp_path / "outside"
    with outside(scene.path, scene.target) as proxy:
        assert proxy.answer() == "ready"
        client, daemon = scene.pair()
        assert proxy.say("0 cut-after 3 up") == "ok"
        client.sendall(FRAME)
        assert rest_of(daemon) == FRAME[:3]
        counts = json.loads(proxy.say("counts"))
    assert (counts["accepted"], counts["cut"], counts["up"]) == (1, 1, {"size": 3, "frames": 0})
    assert not scene.path.exists()


@pytest.mark.parametrize("line", EVERY_COMMAND.split("\n")[1:-1])
def test_every_command_is_taken(scene: BothEnds, line: str) -> None:
    scene.pair()
    assert obey(scene.proxy, line) == "ok"


def test_help_lists_every_command(scene: BothEnds) -> None:
    text = obey(scene.proxy, "help")
    for line in EVERY_COMMAND.split("\n")[1:-1]:
        verb = next(word for word in line.split() if word[0].isalpha() and word != "future")
        assert f" {verb} " in text


@pytest.mark.parametrize(
    "line", ["explode", "delay", "delay soon", "cut-after 1 left", "9x cut", "0"]
)
def test_a_command_that_makes_no_sense_is_an_error_and_changes_nothing(
    scene: BothEnds, line: str
) -> None:
    client, daemon = scene.pair()
    assert obey(scene.proxy, line).startswith(f"error: {line!r}")
    client.sendall(FRAME)
    assert heard(daemon, len(FRAME)) == FRAME


def test_a_command_may_be_for_one_connection_alone(scene: BothEnds) -> None:
    first, second = scene.pair(), scene.pair()
    assert obey(scene.proxy, "1 cut") == "ok"
    assert rest_of(second[0]) == b""
    first[0].sendall(FRAME)
    assert heard(first[1], len(FRAME)) == FRAME
    assert json.loads(obey(scene.proxy, "counts 0"))["up"] == {"size": len(FRAME), "frames": 1}
