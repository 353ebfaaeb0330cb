"""Programs that have the whole screen: who comes back sees what was there, whatever has died.

vim, htop and less in real sessions. The picture, shown to a fresh terminal, is compared with a
model that was given the log from its first byte.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from holdfast.protocol.messages import GetScreen, GetStats, Input, Resize
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker
from tests.support.truth import exactly_attached, history, shown, unlike, wrong
from tests.support.wrapping import required
from tests.support.xterm import Xterm

pytestmark = pytest.mark.slow

SETTINGS = {
    "HOLDFAST_READER_ENABLED": "on",
    "TERM": "xterm-256color",
    "LC_ALL": "C.UTF-8",
    "LESS": "",
    # Nowhere: htop replaces this file when it ends, and as root it can replace any file.
    "HTOPRC": "/nonexistent/htoprc",
}
ESCAPE = b"\x1b"
VIM = "vim -u NONE -N -i NONE -n -c 'syntax on' -c 'set number hlsearch ruler laststatus=2'"


class Act(NamedTuple):
    """Keys, and what is on the screen once the program has done what they say."""

    keys: bytes
    shows: bytes


class Scene(NamedTuple):
    """A program, started from a screen with something on it, and a person's doings in it."""

    command: str
    begins: bytes
    acts: tuple[Act, ...]
    last: Act
    """What is done after all has died: it goes on where it was."""


SCENES = {
    "vim": Scene(
        VIM + " code.py",
        b"Top",
        (Act(b"/return\r", b"2,11"), Act(b"Onew \xe6\xbc\xa2\xe5\xad\x97 line", b"-- INSERT --")),
        Act(ESCAPE + b":set nonumber | echo 'at the end'\r", b"at the end"),
    ),
    "less": Scene(
        "less -R coloured",
        b"coloured",
        (Act(b"G", b"(END)"), Act(b"g/line 5[05]\r", b"line 50 "), Act(b"n", b"line 55 ")),
        Act(b"n", b"line 505 "),
    ),
    # It shows the processes of whoever runs the tests, so it may look and must not touch: an
    # arrow it does not know becomes `[`, which changes the priority of the one at the top.
    "htop": Scene(
        "htop --readonly -d 5",
        b"F10",
        (Act(b"t", b"F5List"), Act(b"S", b"Categories")),
        Act(b"\x1b[21~", b"F5List"),
    ),
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h", SETTINGS) as running:
        yield running


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    required(request.param)
    return SCENES[request.param]


class Person:
    """Somebody who types into a program and looks at its screen."""

    def __init__(self, home: Home, client: Client, scene: Scene, directory: Path) -> None:
        source = "".join(f"def wave_{n}(sea):\n    return 'reef', {n}\n\n\n" for n in range(1, 30))
        (directory / "code.py").write_text(source.replace("return", "pass; return"))
        lines = (f"\x1b[3{n % 8}mline\x1b[0;1m {n} \x1b[m of them\n" for n in range(600))
        (directory / "coloured").write_text("".join(lines))
        words = ("sh", "-c", f"seq 40; {scene.command}; exec cat")
        self._client, self._typed = client, 0
        self.session = home.create(client, *words, cwd=str(directory)).id
        self.sees(scene.begins)
        for act in scene.acts:
            self.does(act)

    def does(self, act: Act) -> None:
        self._client.call(Input(session=self.session, offset=self._typed, data=act.keys))
        self._typed += len(act.keys)
        self.sees(act.shows)

    def sees(self, text: bytes) -> None:
        asked = GetScreen(session=self.session)
        until(lambda: text in self._client.call(asked).data, f"{text!r} on the screen")

    def resizes(self, cols: int, rows: int) -> None:
        self._client.call(Resize(session=self.session, cols=cols, rows=rows))


def kill_daemon(home: Home) -> None:
    home.next_daemon(home.kill_daemon())


def kill_reader(home: Home) -> None:
    with home.client() as client:
        before = until(lambda: client.call(GetStats()).reader, "a reader")
        os.kill(before, signal.SIGKILL)
        until(lambda: client.call(GetStats()).reader not in (0, before), "another reader")


def kill_both(home: Home) -> None:
    status = home.running()
    for pid in (status["reader"]["pid"], status["daemon"]["pid"]):
        os.kill(pid, signal.SIGKILL)
    home.next_daemon(status["daemon"]["pid"])


DEATHS = {"daemon": kill_daemon, "reader": kill_reader, "both": kill_both}


@pytest.fixture(params=DEATHS)
def death(request: pytest.FixtureRequest) -> Callable[[Home], None]:
    return DEATHS[request.param]


def test_whoever_dies_the_screen_is_the_same(
    tmp_path: Path, home: Home, scene: Scene, death: Callable[[Home], None]
) -> None:
    """P2, T5, T14."""
    with home.client() as client:
        person = Person(home, client, scene, tmp_path)
        with Looker(home, person.session) as looker:
            looker.detach()
        death(home)

        assert wrong(home, person.session) == {}
        person.does(scene.last)
        assert wrong(home, person.session) == {}


def test_it_may_have_another_size_when_somebody_comes_back(
    tmp_path: Path, home: Home, scene: Scene
) -> None:
    with home.client() as client:
        person = Person(home, client, scene, tmp_path)
        exactly_attached(home, person.session)
        for death, size in zip(DEATHS.values(), ((100, 30), (61, 19), (90, 33)), strict=True):
            person.resizes(*size)
            death(home)

            assert wrong(home, person.session) == {}
            seen = client.call(GetScreen(session=person.session))
            assert (seen.cols, seen.rows) == size
        person.does(scene.last)
        assert wrong(home, person.session) == {}


def test_what_follows_a_picture_is_drawn_upon_it(tmp_path: Path, home: Home, scene: Scene) -> None:
    with home.client() as client:
        person = Person(home, client, scene, tmp_path)
        kill_both(home)
        exactly_attached(home, person.session)
        with Looker(home, person.session) as looker:
            person.does(scene.last)
            looker.until_offset(home.offset(client, person.session))

    truth = shown(*history(home, person.session, looker.held.offset))
    assert looker.attached.fidelity == "exact"
    assert unlike(truth, looker.attached.snapshot, bytes(looker.data)) == {}
    truth.close()


def test_a_browser_shows_the_same(tmp_path: Path, home: Home, scene: Scene) -> None:
    """But for what docs/reference/fidelity.md tells of wraps and saved cursors."""
    with home.client() as client:
        person = Person(home, client, scene, tmp_path)
        kill_both(home)
        attached = exactly_attached(home, person.session)

    size, events = history(home, person.session, attached.offset)
    with Xterm() as xterm:
        (found,) = xterm.compare(size, events, [(len(events), size, attached.snapshot)])
    assert found["at"].keys() - {"wraps", "saved"} == set(), found["at"]
