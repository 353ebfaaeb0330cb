"""Mirrored sessions: registered again and again, written to by offset, given up after a while."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.errors import (
    InvalidArgument,
    LimitReached,
    Mirrored,
    NotFound,
    OwnerRequired,
)
from holdfast.protocol.client_end import ReplyReceived
from holdfast.protocol.messages import (
    Append,
    Appended,
    Claim,
    Clear,
    Commands,
    Du,
    Forget,
    Get,
    GetStats,
    Input,
    Kill,
    KillAll,
    List,
    Message,
    Output,
    OutputChunk,
    Register,
    Rename,
    Resize,
    Restore,
    Send,
    SessionInfo,
    Signal,
    Skip,
    Takeover,
    Wait,
)
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker
from tests.support.mirroring import SHELL, Mirrorer

ATTRIBUTES = {"shell": "bash", "pid": "4711", "tty": "/dev/pts/3", "hostname": "kelp"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as running:
        yield running


def info(home: Home, session: str = SHELL) -> SessionInfo:
    with home.client() as client:
        return client.call(Get(session=session))


def log(home: Home, session: str = SHELL) -> bytes:
    with home.client() as client:
        return home.output(client, session)


def kinds(home: Home) -> list[str]:
    lines = home.hold("events", SHELL, "--json").splitlines()
    return [line.split('"kind":"')[1].split('"')[0] for line in lines]


# -- register


def test_the_first_registration_makes_a_session_that_is_mirrored(home: Home) -> None:
    with Mirrorer(
        home,
        argv=[b"/bin/bash", b"-i"],
        cwd=b"/tmp",
        cols=100,
        rows=30,
        name="mine",
        attributes=ATTRIBUTES,
    ) as mine:
        made = mine.registered
        assert (made.outcome, made.end, len(made.epoch)) == ("registered", 0, 16)
        session = made.session
        assert (session.id, session.mirrored, session.state) == (SHELL, True, "running")
        assert (session.argv, session.cwd, session.name) == (["/bin/bash", "-i"], "/tmp", "mine")
        assert (session.cols, session.rows, session.pid) == (100, 30, 4711)
        assert (session.attributes, session.owned) == (ATTRIBUTES, True)
        with home.client() as client:
            (listed,) = client.call(List()).sessions
    assert listed.mirrored
    assert listed.owner == "wrap pts/3"


def test_idempotent_register_keeps_earlier_commands(home: Home) -> None:
    with Mirrorer(home, cwd=b"/tmp", attributes=ATTRIBUTES) as mine:
        mine.append(0, b"$ make\r\n")
        mine.record("1", "make", exit_code=2)
        directory = sorted(path.name for path in (home.paths.state / "sessions").iterdir())
    with Mirrorer(home, attributes={"shell": "zsh"}) as again:
        assert again.registered.outcome == "re-registered"
        assert again.registered.end == 8
        assert again.registered.session.cwd == "/tmp"
        assert again.registered.session.attributes == {**ATTRIBUTES, "shell": "zsh"}
        again.record("2", "ls")
        (one, two) = again.client.call(Commands(session=SHELL)).records
    assert (one.line, one.exit_code, two.line) == ("make", 2, "ls")
    assert log(home) == b"$ make\r\n"
    assert sorted(path.name for path in (home.paths.state / "sessions").iterdir()) == directory
    assert "re-registered" in kinds(home)
    assert "re-registered" in (home.paths.state / "daemon.log").read_text()


def test_a_registration_after_the_end_clears_it(home: Home) -> None:
    with Mirrorer(home) as mine:
        mine.append(0, b"one")
        ended = mine.end(3, code=7)
        assert (ended.state, ended.exit_code) == ("exited", 7)
        assert ended.duration is not None
        again = mine.register()
        assert (again.outcome, again.end) == ("re-registered", 3)
        assert (again.session.state, again.session.exit_code) == ("running", None)
        assert (again.session.ended, again.session.duration) == (None, None)
        assert mine.append(3, b"two") == 6
    assert log(home) == b"onetwo"


@pytest.mark.parametrize("session", ["", "abc", "Upper", "../../etc", "a" * 33, "with space"])
def test_an_id_that_is_none_is_refused(home: Home, session: str) -> None:
    with home.client() as client, pytest.raises(InvalidArgument, match="lower case"):
        client.call(Register(session=session))


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        (Register(session=SHELL, cols=80), "size"),
        (Register(session=SHELL, name="\x1b[31m"), "name"),
        (Register(session=SHELL, cwd=b"tmp"), "cwd"),
        (Register(session=SHELL, argv=[b"a\0b"]), "argv"),
        (Register(session=SHELL, attributes={"x": "y" * 3000}), "attributes"),
    ],
)
def test_values_that_make_no_sense_are_refused(home: Home, asked: Register, argument: str) -> None:
    with home.client() as client:
        with pytest.raises(InvalidArgument) as caught:
            client.call(asked)
        assert caught.value.argument == argument
        assert client.call(List(ended=True)).sessions == []


def test_the_id_of_another_session_is_refused(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, "cat").id
        with pytest.raises(InvalidArgument, match="not mirrored"):
            client.call(Register(session=session))
        assert not client.call(Get(session=session)).mirrored
        client.call(Kill(session=session, now=True))
        home.ended(client, session)
        with pytest.raises(InvalidArgument, match="not mirrored"):
            client.call(Register(session=session))


def test_a_second_live_registration_supersedes_the_first(home: Home) -> None:
    with Mirrorer(home) as first:
        first.append(0, b"one")
        with Mirrorer(home) as second:
            assert "wrap pts/3 took session m1rr0r over" in first.client.lost(10).reason
            for refused in (
                Append(session=SHELL, offset=3, data=b"x"),
                Skip(session=SHELL, start=3, end=9),
            ):
                with pytest.raises(OwnerRequired, match="register it"):
                    first.client.call(refused)
            assert second.append(3, b"two") == 6
        # The first one leaves when it is nobody's business any more.
        assert first.register().end == 6
    assert log(home) == b"onetwo"


def test_the_end_of_a_superseded_connection_says_nothing_about_the_newer(home: Home) -> None:
    """P3."""
    with Mirrorer(home) as second:
        with Mirrorer(home):
            second.register()
        assert second.append(0, b"x") == 1
        assert info(home).state == "running"


def test_who_has_not_registered_cannot_write(home: Home) -> None:
    with Mirrorer(home), home.client() as other:
        with pytest.raises(OwnerRequired):
            other.call(Append(session=SHELL, offset=0, data=b"x"))
        with pytest.raises(NotFound):
            other.call(Append(session="n0body", offset=0, data=b"x"))
        session = home.create(other, "cat").id
        with pytest.raises(InvalidArgument, match="not a mirrored session"):
            other.call(Append(session=session, offset=0, data=b"x"))


def test_mirrored_sessions_count_for_the_limit(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", {"HOLDFAST_SESSION_LIMIT": "1"}) as home, Mirrorer(home):
        with home.client() as client, pytest.raises(LimitReached):
            client.call(Register(session="an0ther"))
        with home.client() as client, pytest.raises(LimitReached):
            home.create(client, "cat")
        with Mirrorer(home) as again:  # what is there already is no more than before
            assert again.registered.outcome == "re-registered"


# -- append


def test_bytes_sent_again_are_in_the_log_once(home: Home) -> None:
    with Mirrorer(home) as mine:
        assert mine.append(0, b"0123") == 4
        assert mine.append(0, b"0123") == 4
        assert mine.append(2, b"23456") == 7
        assert mine.append(7, b"") == 7
    assert log(home) == b"0123456"


def test_other_bytes_for_the_same_offsets_are_refused(home: Home) -> None:
    with Mirrorer(home) as mine:
        mine.append(0, b"0123456789")
        with pytest.raises(InvalidArgument, match="other bytes") as caught:
            mine.append(8, b"8X10")
        assert caught.value.argument == "data"
    assert log(home) == b"0123456789"


@pytest.mark.parametrize("offset", [4, -1, 1 << 62])
def test_bytes_that_do_not_follow_are_refused(home: Home, offset: int) -> None:
    with Mirrorer(home) as mine:
        mine.append(0, b"012")
        with pytest.raises(InvalidArgument) as caught:
            mine.append(offset, b"x")
        assert caught.value.argument == "offset"
        if offset > 0:
            assert "beyond the end of the log, 3" in str(caught.value)
            assert "from 3 on" in caught.value.fix
    assert log(home) == b"012"


def test_appends_may_be_pipelined(home: Home) -> None:
    data = os.urandom(3 << 20)
    pieces = range(0, len(data), 100_000)
    with Mirrorer(home) as mine:
        asked = [
            mine.client.ask(Append(session=SHELL, offset=at, data=data[at : at + 100_000]))
            for at in pieces
        ]
        answered: list[ReplyReceived] = []
        while len(answered) < len(asked):
            mine.client.flush()
            answered += until(mine.client.replies, "an answer")
    assert [reply.number for reply in answered] == asked, "in their order"
    ends = [reply.result.end for reply in answered if isinstance(reply.result, Appended)]
    assert ends == [*pieces[1:], len(data)]
    assert log(home) == data


def test_a_big_piece_delays_no_neighbour(home: Home) -> None:
    """It is written in slices: a ping that comes after it is answered before it is done."""
    data = os.urandom(4_000_000)
    with Mirrorer(home) as mine, home.client() as other:
        mine.client.ask(Append(session=SHELL, offset=0, data=data))
        seen = set()
        while (offset := home.offset(other, SHELL)) < len(data):
            mine.client.flush()
            seen.add(offset)
    assert seen - {0}, "nobody had a turn in between"
    assert log(home) == data


# -- looking at it


def test_viewers_see_it_as_any_session(home: Home) -> None:
    data = os.urandom(1 << 20)
    with Mirrorer(home) as mine:
        mine.append(0, b"early")
        with Looker(home, SHELL, since=0) as one, Looker(home, SHELL) as two:
            assert two.attached.snapshot == b"early"
            mine.append(5, data)
            one.until_offset(5 + len(data))
            two.until_offset(5 + len(data))
            with Looker(home, SHELL, since=700_000) as third:
                assert third.attached.outcome == "exact"
                third.until_offset(5 + len(data))
                assert third.data == (b"early" + data)[700_000:]
            mine.end(5 + len(data), code=0)
            one.until_finished()
            two.until_finished()
    assert one.digests == 4
    assert one.data == b"early" + data
    assert two.data == data


def test_a_skip_is_a_gap_with_its_reason(home: Home) -> None:
    with Mirrorer(home) as mine, Looker(home, SHELL, since=0) as looker:
        mine.append(0, b"012")
        looker.until_offset(3)
        assert mine.skip(3, 1000) == 1000
        assert mine.skip(3, 1000) == 1000
        assert mine.append(1000, b"after") == 1005
        looker.until_offset(1005)
        with pytest.raises(InvalidArgument, match="beyond the end of the log, 1005"):
            mine.skip(2000, 3000)
        with pytest.raises(InvalidArgument, match="which was asked for"):
            mine.append(500, b"x" * 505)
        (use,) = mine.client.call(Du()).sessions
        with pytest.raises(InvalidArgument, match="overflowed"):
            mine.client.call(Skip(session=SHELL, start=1005, end=1010, reason="tired"))
    assert [(gap.start, gap.end, gap.reason) for gap in looker.gaps] == [(3, 1000, "overflowed")]
    assert use.missing == [(3, 1000, "overflowed")]
    assert use.end == 1005


def test_a_reader_that_waits_hears_of_the_next_byte(home: Home) -> None:
    with Mirrorer(home) as mine, home.client() as reader:
        reader.ask(Output(session=SHELL, since=0, wait=20))
        until(lambda: mine.client.call(GetStats()).followers, "the reader to wait")
        mine.append(0, b"x")
        (reply,) = until(reader.replies, "what it waited for")
    assert isinstance(reply.result, OutputChunk)
    assert (reply.result.data, reply.result.final) == (b"x", False)


def test_clear_and_forget_and_rename_work_for_who_insists(home: Home) -> None:
    lines = b"".join(b"line %d\r\n" % n for n in range(1000))
    with Mirrorer(home) as mine, home.client() as other:
        mine.append(0, lines)
        for message in (Clear(session=SHELL), Rename(session=SHELL, name="x")):
            with pytest.raises(OwnerRequired):
                other.call(message)
        assert other.call(Rename(session=SHELL, name="x", takeover=True)).name == "x"
        cleared = other.call(Clear(session=SHELL, takeover=True))
        assert 0 < cleared.start < len(lines)
        erased = other.call(Forget(session=SHELL, takeover=True))
        assert erased.bytes
        assert erased.found == []
        # It is still its client's, which goes on.
        assert mine.append(len(lines), b"after") == len(lines) + 5
        assert info(home).owner == "wrap pts/3"
        mine.end(len(lines) + 5)
        assert other.call(Forget(session=SHELL)).gone
        assert mine.register().end == 0


# -- what only its terminal can do


@pytest.mark.parametrize(
    "asked",
    [
        Input(session=SHELL, offset=0, data=b"x"),
        Send(session=SHELL, offset=0, text=b"x"),
        Resize(session=SHELL, cols=80, rows=24),
        Signal(session=SHELL, signal="INT"),
        Takeover(session=SHELL),
        Claim(session=SHELL),
        Kill(session=SHELL),
        Restore(session=SHELL),
    ],
    ids=lambda asked: type(asked).__name__,
)
def test_a_mirror_answers_mirrored(home: Home, asked: Message) -> None:
    with Mirrorer(home) as mine:
        for over in (False, True):
            if over:
                mine.end(0)
            with home.client() as client, pytest.raises(Mirrored, match="hold wrap") as caught:
                client.call(asked)  # type: ignore[call-overload]
            assert caught.value.session == SHELL


def test_kill_all_spares_a_mirror_and_says_why(home: Home) -> None:
    with Mirrorer(home) as mine, home.client() as client:
        answer = client.call(KillAll())
        assert [spared.code for spared in answer.spared] == ["MIRRORED"]
        assert mine.append(0, b"x") == 1


# -- the end


@pytest.mark.parametrize("offset", [2, 4])
def test_an_end_elsewhere_than_the_log_ends_is_refused(home: Home, offset: int) -> None:
    with Mirrorer(home) as mine:
        mine.append(0, b"012")
        with pytest.raises(InvalidArgument, match="the end of the log, 3"):
            mine.end(offset)
        assert info(home).state == "running"


@pytest.mark.parametrize(("code", "signal"), [(256, None), (-1, None), (0, 9), (None, 0)])
def test_an_end_that_cannot_be_is_refused(home: Home, code: int | None, signal: int | None) -> None:
    with Mirrorer(home) as mine, pytest.raises(InvalidArgument, match="exit_"):
        mine.end(0, code, signal)


def test_the_end_is_told_once_however_often_it_is_sent(home: Home) -> None:
    with Mirrorer(home) as mine, home.client() as waiter:
        mine.append(0, b"bye")
        assert mine.end(3, None, 9).exit_signal == 9
        assert mine.end(3, None, 9).exit_signal == 9
        over = waiter.call(Wait(session=SHELL))
        assert (over.state, over.exit_signal) == ("exited", 9)
        with pytest.raises(InvalidArgument, match="has been ended"):
            mine.append(3, b"more")
    assert kinds(home).count("exit") == 1


# -- a client that has gone


def test_a_client_that_vanishes_is_given_up_after_its_time(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", {"HOLDFAST_SESSION_MIRROR_GRACE": "0.2"}) as home:
        with Mirrorer(home) as mine:
            mine.append(0, b"last words")
            mine.record("1", "vim")
        over = until(lambda: _over(info(home)), "it to be given up")
        assert (over.state, over.recovery) == ("lost", "lost:client-gone")
        assert log(home) == b"last words"
        assert "lost" in kinds(home)
        with Mirrorer(home) as again:
            assert again.registered.end == 10
            assert again.registered.session.recovery is None
            assert again.append(10, b"!") == 11


def _over(found: SessionInfo) -> SessionInfo | None:
    return found if found.state == "lost" else None


def test_a_client_that_is_there_is_never_given_up(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h", {"HOLDFAST_SESSION_MIRROR_GRACE": "0.1"}) as home,
        Mirrorer(home) as mine,
        Mirrorer(home, "s0meb0dy") as other,
    ):
        other.client.close()
        until(lambda: _over(info(home, "s0meb0dy")), "the other to be given up")
        assert mine.append(0, b"x") == 1


def test_it_keeps_an_idle_daemon_only_while_its_client_is_there(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", {"HOLDFAST_DAEMON_IDLE": "0.2"}) as home:
        with Mirrorer(home) as mine:
            until(home.running, "a daemon")
            with Mirrorer(home, "an0ther") as other:
                other.end(0)
            mine.append(0, b"x")
            daemon = home.running()["daemon"]["pid"]
        until(lambda: not home.answers(), "daemon and keeper to end")
        found = info(home)
        assert (found.state, found.recovery) == ("running", "adopted")
        assert home.running()["daemon"]["pid"] != daemon


# -- death


@pytest.mark.parametrize("death", ["daemon", "keeper", "both"])
def test_it_waits_for_its_client_across_deaths(home: Home, death: str) -> None:
    with Mirrorer(home, attributes=ATTRIBUTES) as mine:
        mine.append(0, b"before")
        mine.record("1", "make")
        if death == "daemon":
            home.another_daemon(home.kill_daemon())
        elif death == "keeper":
            home.another_keeper(home.kill_keeper())
        else:
            home.power_off()
        found = info(home)
        assert (found.state, found.mirrored, found.attributes) == ("running", True, ATTRIBUTES)
    with Mirrorer(home) as again:
        assert (again.registered.outcome, again.registered.end) == ("re-registered", 6)
        assert again.append(0, b"before and after") == 16
        assert [one.line for one in again.client.call(Commands(session=SHELL)).records] == ["make"]
    assert log(home) == b"before and after"


def test_the_time_to_come_back_begins_anew_with_a_daemon(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", {"HOLDFAST_SESSION_MIRROR_GRACE": "0.5"}) as home:
        with Mirrorer(home) as mine:
            mine.append(0, b"x")
            home.power_off()
        found = until(lambda: _over(info(home)), "it to be given up")
        assert found.recovery == "lost:client-gone"


def test_what_is_left_without_a_journal_can_be_registered_again(home: Home) -> None:
    with Mirrorer(home) as mine:
        mine.append(0, b"before")
        home.power_off()
        for path in home.paths.journal.parent.glob(home.paths.journal.name + "*"):
            path.unlink()
        assert info(home).recovery == "lost:journal"
    with Mirrorer(home) as again:
        assert again.registered.session.mirrored
        assert again.append(6, b" and after") == 16
    assert log(home) == b"before and after"
