"""The daemon with a real reader: pictures, titles, answers, and nothing that waits for it."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.errors import InvalidArgument
from holdfast.protocol.messages import (
    Attached,
    Clear,
    Forget,
    Get,
    GetScreen,
    GetStats,
    Input,
    Kill,
    Release,
    Role,
    Screen,
)
from tests.support.answering import AnsweringTerminal
from tests.support.asking import Client
from tests.support.flood import Flood
from tests.support.home import ROOT, Home, running_home, until
from tests.support.looker import Looker
from tests.support.mirroring import Mirrorer

pytestmark = pytest.mark.slow

ASKS = str(ROOT / "tests" / "support" / "asking_program.py")
COLOURED = r"stty raw -echo; printf '\033]2;%s\007one\r\ntwo \033[31mred\033[m'; exec cat"
ALL_ANSWERED = b"lost 0 wrong 0 more 0"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h", {"HOLDFAST_READER_ENABLED": "on"}) as running:
        yield running


def coloured(home: Home, client: Client, title: str = "work") -> str:
    """A session with a screen that is known, and a reader that has read it."""
    session = home.create(client, "sh", "-c", COLOURED.replace("%s", title)).id
    until(lambda: screen(client, session).fidelity == "exact", "the screen to be drawn")
    return session


def screen(client: Client, session: str, form: str = "text") -> Screen:
    return client.call(GetScreen(session=session, form=form))


def reader_of(client: Client) -> int:
    return until(lambda: client.call(GetStats()).reader, "a reader")


def another_reader(client: Client, before: int) -> None:
    until(lambda: client.call(GetStats()).reader not in (0, before), "another reader")


def goes_on(home: Home, client: Client, session: str) -> None:
    goal = home.offset(client, session) + 300
    until(lambda: home.offset(client, session) >= goal, "more to be printed")


def attach_timed(home: Home, session: str) -> tuple[Attached, float]:
    begin = time.monotonic()
    with Looker(home, session) as looker:
        return looker.attached, time.monotonic() - begin


# -- pictures


def test_who_attaches_is_painted_the_screen_and_sent_what_follows(home: Home) -> None:
    with home.client() as client:
        session = coloured(home, client)
        with Looker(home, session) as looker:
            client.call(Input(session=session, offset=0, data=b" blue"))
            looker.until_offset(looker.attached.offset + 5)

    attached = looker.attached
    assert (attached.outcome, attached.fidelity) == ("snapshot", "exact")
    assert b"31mred" in attached.snapshot
    assert attached.snapshot.count(b"two") == 1
    assert looker.data == b" blue"


def test_a_screen_is_text_sequences_or_json(home: Home) -> None:
    with home.client() as client:
        session = coloured(home, client, "a title")
        shown = screen(client, session)
        drawn = screen(client, session, "vt")
        said = home.hold("screen", session)
        as_json = home.hold("screen", session, "--format", "json")
        with pytest.raises(InvalidArgument):
            screen(client, session, "html")

    assert shown.data.decode().split() == ["one", "two", "red"]
    assert (shown.title, shown.cursor, shown.cols, shown.rows) == ("a title", (7, 1), 80, 24)
    assert shown.offset == shown.end
    assert b"31mred" in drawn.data
    assert said == "one\ntwo red\n"
    assert '"screen":["one","two red"' in as_json


def test_the_last_screen_of_a_session_outlives_it(home: Home) -> None:
    with home.client() as client:
        session = coloured(home, client)
        client.call(Kill(session=session))
        home.ended(client, session)
        shown = screen(client, session)
        attached, _ = attach_timed(home, session)

    assert (shown.fidelity, shown.data.decode().split()) == ("exact", ["one", "two", "red"])
    assert attached.fidelity == "exact"


def test_a_mirrored_session_has_a_screen_of_its_terminals_size(home: Home) -> None:
    """And its queries are nobody's business: its own terminal has answered them."""
    with Mirrorer(home, cols=20, rows=5) as mirror, home.client() as client:
        end = mirror.append(0, b"\x1b]2;far away\x07" + b"x" * 30 + b"\x1b[6n\r\n")
        until(lambda: screen(client, mirror.session).fidelity == "exact", "a screen")
        seen = screen(client, mirror.session)
        assert seen.data.decode().split() == ["x" * 20, "x" * 10]
        until(lambda: client.call(Get(session=mirror.session)).title == "far away", "its title")

        mirror.register(cols=40, rows=5)
        end = mirror.append(end, b"y" * 30)
        until(lambda: screen(client, mirror.session).offset == end, "what follows")
        seen = screen(client, mirror.session)
        assert (seen.cols, seen.data.decode().split()[-1]) == (40, "y" * 30)
        role = Role.CONTROL
        with Looker(home, mirror.session, since=0, terminal=True, role=role) as looker:
            assert looker.attached.answered > end
            looker.until_offset(end)


def test_what_is_cleared_is_in_no_picture(home: Home) -> None:
    with home.client() as client:
        lines = "stty raw -echo; seq -f 'line %g' 1 500 | tr '\\n' '\\f' | sed 's/\\f/\\r\\n/g'"
        session = home.create(client, "sh", "-c", f"{lines}; exec cat").id
        whole = GetScreen(session=session, scrollback=None)
        until(lambda: b"line 500" in client.call(whole).data, "the lines to be drawn")
        assert b"line 3\n" in client.call(whole).data
        client.call(Clear(session=session))
        until(lambda: b"line 3\n" not in client.call(whole).data, "the scrollback to be gone")

        assert b"line 500" in client.call(whole).data


def test_what_is_forgotten_is_on_no_screen(home: Home) -> None:
    with home.client() as client:
        session = coloured(home, client)
        client.call(Forget(session=session))
        until(lambda: b"red" not in screen(client, session, "vt").data, "it to be gone")
        client.call(Input(session=session, offset=0, data=b"after"))
        until(lambda: b"after" in screen(client, session).data, "what follows to be drawn")
        seen = screen(client, session, "vt")
        client.call(Input(session=session, offset=5, data=b"\x1b[2Janew"))
        until(lambda: b"anew" in screen(client, session).data, "all to be drawn again")
        healed = screen(client, session, "vt")

    assert b"red" not in seen.data
    assert (seen.fidelity, healed.fidelity) == ("partial", "exact")


# -- a reader that does not answer


def test_a_stopped_reader_slows_nobody(home: Home) -> None:
    """P5: attaches get the tail, in time, and once it goes on the picture again."""
    with home.client() as client:
        session = coloured(home, client)
        reader = reader_of(client)
        os.kill(reader, signal.SIGSTOP)
        try:
            first, waited = attach_timed(home, session)
            later = [attach_timed(home, session) for _ in range(3)]
            flood = Flood(home, client)
            info = flood.finish(client)
        finally:
            os.kill(reader, signal.SIGCONT)
        until(lambda: screen(client, session).fidelity == "exact", "it to go on")
        until(lambda: attach_timed(home, flood.id)[0].fidelity == "exact", "it to catch up")

    assert {first.fidelity, *(attached.fidelity for attached, _ in later)} == {"tail"}
    # A second, and then hardly at all; a busy machine adds to each.
    assert min(took for _, took in later) < waited < 10
    assert info.offset > 0


def test_a_killed_reader_is_invisible_to_viewers(home: Home) -> None:
    """T14."""
    with home.client() as client:
        session = coloured(home, client)
        with Looker(home, session) as looker:
            start = looker.attached.offset
            for number in range(3):
                before = reader_of(client)
                os.kill(before, signal.SIGKILL)
                client.call(Input(session=session, offset=number * 4, data=b"more"))
                looker.until_offset(start + number * 4 + 4)
                another_reader(client, before)
        until(lambda: b"redmoremoremore" in screen(client, session).data, "all to be drawn")

    assert bytes(looker.data) == b"more" * 3
    assert not looker.gaps
    assert not looker.snapshots


def test_attaching_to_a_flood_begins_with_something_and_heals(home: Home) -> None:
    with home.client() as client:
        flood = Flood(home, client)
        flood.grows(client)
        during, _ = attach_timed(home, flood.id)
        flood.finish(client)
        until(lambda: attach_timed(home, flood.id)[0].fidelity == "exact", "it to heal")

    assert during.outcome == "snapshot"
    assert during.fidelity in ("tail", "exact")


# -- titles


def test_a_title_is_known_told_once_and_again_after_the_daemon_has_died(home: Home) -> None:
    with home.client() as client:
        session = coloured(home, client, "in the window")
        until(lambda: client.call(Get(session=session)).title == "in the window", "its title")
        # Known at once, told a moment later: killed in between nobody would have been told.
        until(lambda: '"title"' in home.hold("events", "--since", "0", "--json"), "its event")
        home.next_daemon(home.kill_daemon())
        until(lambda: client.call(Get(session=session)).title == "in the window", "it again")
        until(lambda: screen(client, session).fidelity == "exact", "the reader to have come back")
        listed = home.hold("ls")
        told = home.hold("events", "--since", "0", "--json")

    assert "TITLE" in listed
    assert "in the window" in listed
    assert told.count('"title"') == 2  # the kind of one event, and its fact


def test_a_bell_is_an_event_at_most_once_a_second(home: Home) -> None:
    with home.client() as client:
        session = coloured(home, client)
        client.call(Input(session=session, offset=0, data=b"\a\a"))
        until(lambda: '"bell"' in home.hold("events", "--since", "0", "--json"), "the bell")
        begin = time.monotonic()
        for number in range(20):
            client.call(Input(session=session, offset=2 + number, data=b"\a"))
        until(lambda: _bells(home) > 1, "the next")
        took = time.monotonic() - begin

    assert _bells(home) <= 2 + took


def _bells(home: Home) -> int:
    return home.hold("events", "--since", "0", "--json").count('"bell"')


# -- answers


def asking(home: Home, client: Client, count: int, pause: float) -> str:
    words = (sys.executable, ASKS, str(count), str(pause))
    session = home.create(client, *words, key="asks").id
    client.call(Release(session=session))
    return session


def answered(home: Home, client: Client, session: str) -> bytes:
    until(lambda: home.state(client, session) == "exited", "all to be answered", 100)
    return home.output(client, session)[-60:]


def test_every_query_is_answered_once_whoever_dies(home: Home) -> None:
    """T10, T14: nobody looks on, so the reader answers."""
    with home.client() as client:
        session = asking(home, client, 300, 0.01)
        for step in range(4):
            goes_on(home, client, session)
            if step % 2:
                os.kill(reader_of(client), signal.SIGKILL)
            else:
                home.next_daemon(home.kill_daemon())

        assert ALL_ANSWERED in answered(home, client, session)


def test_the_owners_terminal_answers_what_it_is_shown(home: Home) -> None:
    """T10: of reader and terminal exactly one, also when daemon and reader die."""
    with home.client() as client:
        session = asking(home, client, 300, 0.01)
        with AnsweringTerminal(home, "asks") as terminal:
            until(lambda: terminal.answered > 20, "the terminal to answer")
            home.next_daemon(home.kill_daemon())
            before = terminal.answered
            until(lambda: terminal.answered > before + 20, "it to answer again")
            os.kill(reader_of(client), signal.SIGKILL)
            home.next_daemon(home.kill_daemon())
            end = answered(home, client, session)

        assert ALL_ANSWERED in end
        assert terminal.answered >= 200


def test_a_terminal_that_may_not_type_does_not_count(home: Home) -> None:
    with home.client() as client:
        session = asking(home, client, 30, 0.01)
        with Looker(home, session, role=Role.STREAM, terminal=True) as looker:
            looker.until_finished(60)

        assert ALL_ANSWERED in home.output(client, session)[-60:]


def test_a_program_that_only_asks_and_never_reads_is_bounded(home: Home) -> None:
    with home.client() as client:
        floods = "stty raw -echo; while :; do printf '\\033[6n\\033[6n\\033[6n\\033[6n'; done"
        session = home.create(client, "sh", "-c", floods).id
        until(lambda: client.call(GetStats()).input_queued > 0, "answers to wait")
        until(lambda: home.offset(client, session) > 200_000, "it to go on")

        assert client.call(GetStats()).input_queued <= 40 << 10
        client.call(Kill(session=session, now=True))
