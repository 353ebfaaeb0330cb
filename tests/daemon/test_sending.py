"""`send`: text and Enter as one unit, between other writers, under floods and across deaths."""

import os
import random
import sys
import threading
import time
from pathlib import Path

import pytest

from holdfast.errors import InputQueueFull, InvalidArgument, OwnerRequired, SessionGone
from holdfast.protocol.messages import (
    Get,
    Input,
    Kill,
    Release,
    Resize,
    Send,
    Sent,
    SessionInfo,
)
from holdfast.session.pasting import BEGIN, END
from tests.support.asking import Client
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

# Writes down what it reads, each read on a line of its own with the time; prints what it is told.
READER = """
import os, sys, threading, tty
tty.setraw(0)
def flood():
    data = b"0123456789abcdef" * 4096
    while True:
        os.write(1, data)
with open(sys.argv[1], "ab", buffering=0) as file:
    os.write(1, sys.argv[2].encode().decode("unicode_escape").encode() + b"ready")
    if sys.argv[3] == "floods":
        threading.Thread(target=flood, daemon=True).start()
    count = 0
    while data := os.read(0, 65536):
        file.write(data)
        count += 1
        if sys.argv[3] == "is fickle":
            os.write(1, b"\x1b[?2004" + (b"h" if count % 3 else b"l"))
"""
SWITCH_ON, SWITCH_OFF = r"\x1b[?2004h", r"\x1b[?2004l"
PASTED = 12  # bytes of both marks


def reading(
    home: Home, client: Client, got: Path, printed: str = "", *, how: str = "is calm"
) -> SessionInfo:
    words = (sys.executable, "-I", "-S", "-c", READER, str(got), printed)
    session = home.create(client, *words, how)
    until(lambda: b"ready" in home.output(client, session.id)[:1000], "the program to be ready")
    client.call(Release(session=session.id))
    return session


def typed(client: Client, asked: Send | Input) -> int:
    """Send or type as soon as nobody else owns the session, and leave it; return the end."""

    def tried() -> int | None:
        try:
            if isinstance(asked, Send):
                return client.call(asked, 30).end
            return client.call(asked, 30).end
        except OwnerRequired:
            return None

    end = until(tried, "the session to be free", 60)
    client.call(Release(session=asked.session))
    return end


def lines(got: Path) -> list[bytes]:
    return got.read_bytes().split(b"\r")


# -- what is typed


@pytest.mark.parametrize(
    ("printed", "said", "typed"),
    [
        ("", "no", b"a\nb\r"),
        (SWITCH_ON, "yes", BEGIN + b"a\nb" + END + b"\r"),
        (SWITCH_ON + "x" + SWITCH_OFF, "no", b"a\nb\r"),
        (SWITCH_OFF + r"\x1b[?25;2004h", "yes", BEGIN + b"a\nb" + END + b"\r"),
    ],
)
def test_text_is_pasted_if_the_program_asked_for_that(
    tmp_path: Path, printed: str, said: str, typed: bytes
) -> None:
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = reading(home, client, got, printed)
        sent = client.call(Send(session=session.id, offset=0, text=b"a\nb", enter=True))
        until(lambda: got.read_bytes() == typed, repr(typed))

        assert sent == Sent(end=3 + PASTED + 1, pasted=said, caught_up=True)
        keys = client.call(Send(session=session.id, offset=sent.end, text=b"\x1b[A"))
        assert (keys.end, keys.pasted) == (sent.end + 3 + PASTED, "no")
        client.call(Input(session=session.id, offset=keys.end, data=b"end"))
        until(lambda: got.read_bytes() == typed + b"\x1b[Aend", "keys and what follows them")


def test_the_mode_is_found_far_back_and_across_restarts(tmp_path: Path) -> None:
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = reading(home, client, got, SWITCH_ON, how="floods")
        until(lambda: home.offset(client, session.id) > 10 << 20, "10 MiB after the switch")
        first = client.call(Send(session=session.id, offset=0, text=b"one"))
        home.next_daemon(home.kill_daemon())
        second = client.call(Send(session=session.id, offset=first.end, text=b"two"))

        assert (first.pasted, second.pasted) == ("yes", "yes")
        until(lambda: got.read_bytes() == BEGIN + b"one" + END + BEGIN + b"two" + END, "both")


def test_enter_waits_for_a_quiet_screen_but_not_for_ever(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        quiet = reading(home, client, tmp_path / "quiet")
        busy = reading(home, client, tmp_path / "busy", how="floods")

        def seconds(session: SessionInfo, *, settle: bool) -> float:
            begin = time.monotonic()
            with home.client() as other:
                other.call(Send(session=session.id, offset=0, text=b"x", enter=True, settle=settle))
            return time.monotonic() - begin

        assert 0.05 <= seconds(quiet, settle=True) < 0.9
        assert min(seconds(quiet, settle=False) for _ in range(5)) < 0.05
        assert 0.9 < seconds(busy, settle=True) < 3


# -- nothing in between


def write(home: Home, session: SessionInfo, texts: list[bytes]) -> None:
    """Send one text after the other, as a client that comes back when it was cut off."""
    with home.client() as writer:
        at = 0
        for text in texts:
            asked = Send(session=session.id, offset=at, text=text, enter=True)
            at = typed(writer, asked)


def test_two_writers_under_a_flood_are_never_mixed(tmp_path: Path) -> None:
    """T12: text and Enter during a flood are never dropped, split or merged."""
    got = tmp_path / "got"
    texts = {name: [f"{name}{n}:".encode() + name.encode() * 5000 for n in range(3)]
             for name in "AB"}  # fmt: skip
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = reading(home, client, got, SWITCH_ON, how="floods")
        writers = [threading.Thread(target=write, args=(home, session, texts[n])) for n in texts]
        for writer in writers:
            writer.start()
        at = 0
        while any(writer.is_alive() for writer in writers):  # and a person who just types
            at = typed(client, Input(session=session.id, offset=at, data=b"."))
        for writer in writers:
            writer.join()
        client.call(Input(session=session.id, offset=at, data=b"\r"))
        until(lambda: got.read_bytes().count(b"\r") == 7, "six texts and the last key")

    found = [line.lstrip(b".") for line in lines(got)]
    for name, wanted in texts.items():
        own = [line for line in found if line.startswith(BEGIN + name.encode())]
        assert own == [BEGIN + text + END for text in wanted]
    assert got.read_bytes().count(b".") == at
    assert len(found) == 6 + 2


def test_a_unit_is_whole_and_once_although_the_daemon_is_killed(tmp_path: Path) -> None:
    """Two writers, twenty kills at random moments; the program switches all the time."""
    got = tmp_path / "got"
    chance = random.Random(5)
    texts = {name: [f"{name}{n}:".encode() + name.encode() * 9000 for n in range(20)]
             for name in "AB"}  # fmt: skip
    kills = 0
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = reading(home, client, got, SWITCH_ON, how="is fickle")
        writers = [threading.Thread(target=write, args=(home, session, texts[n])) for n in texts]
        for writer in writers:
            writer.start()
        pid = 0
        while kills < 20 and any(writer.is_alive() for writer in writers):
            pid = home.next_daemon(pid)
            size = got.stat().st_size
            until(lambda size=size: got.stat().st_size > size or not writers[0].is_alive(), "more")  # type: ignore[misc]
            time.sleep(chance.random() * 0.06)  # the moment is the experiment
            os.kill(pid, 9)
            kills += 1
        for writer in writers:
            writer.join()

    assert kills >= 15
    found = lines(got)
    assert found.pop() == b""
    for name, wanted in texts.items():
        own = [line for line in found if line.removeprefix(BEGIN).startswith(name.encode())]
        assert len(own) == len(wanted)
        for line, text in zip(own, wanted, strict=True):
            assert line in (text, BEGIN + text + END)
    assert len(found) == 40
    assert 0 < sum(line.startswith(BEGIN) for line in found) < 40


FORGETFUL = """
import os, sys, time, tty
tty.setraw(0)
os.write(1, b"\\x1b[?2004hready")
with open(sys.argv[1], "ab", buffering=0) as file:
    file.write(os.read(0, 1))
    os.write(1, b"\\x1b[?2004l")
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.01)
    while data := os.read(0, 65536):
        file.write(data)
"""


def test_a_text_ends_in_the_form_it_began_with(tmp_path: Path) -> None:
    """The next daemon sees another mode than the one that began to type."""
    got, go = tmp_path / "got", tmp_path / "go"
    text = os.urandom(100_000).translate(None, delete=b"\x1b\r")  # that end it, or seem to
    with running_home(tmp_path / "h") as home, home.client() as client:
        words = (sys.executable, "-I", "-S", "-c", FORGETFUL, str(got), str(go))
        session = home.create(client, *words)
        until(lambda: b"ready" in home.output(client, session.id), "the program to be ready")
        unit = Send(session=session.id, offset=0, text=b"t" + text, enter=True)
        client.ask(unit)
        until(lambda: b"2004l" in home.output(client, session.id), "the switch")  # reads, too
        home.next_daemon(home.kill_daemon())
        client.reconnect()
        client.ask(unit)
        client.call(Get(session=session.id))
        go.touch()
        until(lambda: got.read_bytes().endswith(b"\r"), "the end")

    assert got.read_bytes() == BEGIN + b"t" + text + END + b"\r"


def test_others_wait_for_a_client_that_was_cut_off_before_its_enter(tmp_path: Path) -> None:
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home, home.client() as client, home.client() as other:
        session = reading(home, client, got, how="floods")  # so that Enter takes a second
        unit = Send(session=session.id, offset=0, text=b"text", enter=True)
        client.ask(unit)
        until(lambda: got.read_bytes() == b"text", "the text")
        home.next_daemon(home.kill_daemon())
        other.reconnect()
        other.ask(Input(session=session.id, offset=0, data=b".", takeover=True))
        assert other.call(Get(session=session.id)).state == "running"
        client.reconnect()
        assert client.call(unit).end == 4 + PASTED + 1
        until(lambda: len(got.read_bytes()) == 6, "what waited")

        assert got.read_bytes() == b"text\r."


def test_a_client_that_does_not_come_back_holds_the_others_up_for_seconds(tmp_path: Path) -> None:
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = reading(home, client, got, how="floods")
            client.ask(Send(session=session.id, offset=0, text=b"text", enter=True))
            until(lambda: got.read_bytes() == b"text", "the text")
            home.next_daemon(home.kill_daemon())
        with home.client() as other:
            begin = time.monotonic()
            other.call(Input(session=session.id, offset=0, data=b".", takeover=True))
            assert time.monotonic() - begin < 7
            assert other.call(Input(session=session.id, offset=1, data=b"."), 0.5).end == 2
        until(lambda: got.read_bytes() == b"text..", "what waited")


def test_a_client_that_leaves_after_its_text_has_still_sent_its_enter(tmp_path: Path) -> None:
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home, home.client() as other:
        session = reading(home, other, got, how="floods")
        client = home.client()
        client.ask(Send(session=session.id, offset=0, text=b"text", enter=True))
        until(lambda: got.read_bytes() == b"text", "the text")
        client.close()
        other.call(Input(session=session.id, offset=0, data=b"."))
        until(lambda: got.read_bytes() == b"text\r.", "the rest")


# -- what cannot be


def test_a_send_that_makes_no_sense_types_nothing(tmp_path: Path) -> None:
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = reading(home, client, got)
        for wrong in (
            Send(session=session.id, offset=0, text=b""),
            Send(session=session.id, offset=-1, text=b"x"),
            Send(session=session.id, offset=1 << 48, text=b"x"),
        ):
            with pytest.raises(InvalidArgument):
                client.call(wrong)
        with pytest.raises(InputQueueFull):
            client.call(Send(session=session.id, offset=0, text=bytes(b"x" * (3 << 20))))
        client.call(Send(session=session.id, offset=0, text=b"", enter=True))
        with pytest.raises(InvalidArgument, match="ends at 1"):
            client.call(Send(session=session.id, offset=5, text=b"x"))
        until(lambda: got.read_bytes() == b"\r", "the program to have the Enter, and nothing else")
        client.ask(Send(session=session.id, offset=1, text=b"x" * 10, enter=True))
        client.call(Resize(session=session.id, cols=90, rows=20))
        client.call(Kill(session=session.id, now=True))
        home.ended(client, session.id)
        with pytest.raises(SessionGone):
            client.call(Send(session=session.id, offset=100, text=b"x"))
