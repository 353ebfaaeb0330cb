"""What is kept stays within its bounds, and what is to be gone is gone."""

import json
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from holdfast.errors import NotFound, OffsetPruned
from holdfast.formats.timeline import Resize, Tick, decode, encode
from holdfast.protocol.messages import Clear, DiskUse, Du, Erased, Forget, Get, Input, Output
from tests.store.disks import small_disk
from tests.support.asking import Client
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

MIB = 1 << 20


def printing(count: int, *, then: str = "") -> tuple[str, ...]:
    """Return a program that prints numbered lines, *count* bytes of them, as they are."""
    lines = count // 100
    return ("sh", "-c", f"stty raw; seq -f '%099.0f' {lines}; {then}")


def printed(count: int) -> bytes:
    return b"".join(b"%099d\n" % number for number in range(1, count // 100 + 1))


def use_of(client: Client, session: str) -> DiskUse:
    (use,) = [one for one in client.call(Du()).sessions if one.session == session]
    return use


def log_bytes(home: Home, session: str) -> int:
    sizes = []
    for path in (home.paths.state / "sessions" / session).glob("*.log"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            pass  # dropped since it was listed
    return sum(sizes)


def everything_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_session_keeps_its_newest_output(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h", {"HOLDFAST_SESSION_KEEP": "16MiB"}) as home,
        home.client() as client,
    ):
        session = home.create(client, *printing(60 * MIB))
        info = home.ended(client, session.id)
        until(lambda: log_bytes(home, session.id) < 25 * MIB, "old segments to go")
        use = use_of(client, session.id)

        assert info.offset == use.end == 60 * MIB // 100 * 100
        assert [(start, reason) for start, _, reason in use.missing] == [(0, "pruned")]
        assert use.start == use.missing[0][1]
        assert 16 * MIB <= use.end - use.start < 25 * MIB
        with pytest.raises(OffsetPruned) as pruned:
            client.call(Output(session=session.id, since=use.start - 1))
        assert pruned.value.oldest == use.start
        assert home.output(client, session.id, use.start) == printed(60 * MIB)[use.start :]


def test_who_follows_too_slowly_misses_one_run_and_is_told(tmp_path: Path) -> None:
    """T7."""
    go = tmp_path / "go"
    with running_home(tmp_path / "h", {"HOLDFAST_SESSION_KEEP": "8MiB"}) as home:
        with home.client() as client:
            wait = f"until [ -e {go} ]; do sleep 0.01; done; stty raw; seq -f '%099.0f' 400000"
            session = home.create(client, "sh", "-c", f"echo begins; {wait}")
            words = (sys.executable, "-m", "holdfast", "output", session.id, "--follow", "--raw")
            with subprocess.Popen(words, env=home.environ, stdout=PIPE, stderr=PIPE) as follower:
                assert follower.stdout is not None
                assert follower.stdout.readline() == b"begins\r\n"
                go.touch()  # and it reads no more: a pipe takes 64 KiB
                home.ended(client, session.id)
                until(lambda: log_bytes(home, session.id) < 17 * MIB, "old segments to go")
                shown, said = follower.communicate(timeout=60)
        whole = b"".join(b"%099d\n" % number for number in range(1, 400_001))
        at = next(n for n, (a, b) in enumerate(zip(shown, whole, strict=False)) if a != b)
        gone = len(whole) - len(shown)

        assert shown[at:] == whole[at + gone :]
        assert said.count(b"are no longer kept") == 1


def test_the_budget_is_met_by_the_fattest(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h", {"HOLDFAST_SESSION_BUDGET": "40MiB"}) as home,
        home.client() as client,
    ):
        thin = home.create(client, *printing(9 * MIB))
        home.ended(client, thin.id)
        fat = home.create(client, *printing(60 * MIB))
        home.ended(client, fat.id)
        until(lambda: log_bytes(home, fat.id) + log_bytes(home, thin.id) <= 40 * MIB, "the budget")

        assert use_of(client, thin.id).missing == []
        assert home.output(client, thin.id) == printed(9 * MIB)
        assert client.call(Du()).budget == 40 * MIB


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h", {"HOLDFAST_SESSION_KEEP_FOR": "1s"}) as home,
        home.client() as client,
    ):
        session = home.create(client, *printing(20 * MIB))
        home.ended(client, session.id)
        until(lambda: log_bytes(home, session.id) < 8 * MIB, "sealed segments to go")
        assert use_of(client, session.id).missing[0][2] == "pruned"


def test_a_full_disk_takes_back_its_own_oldest_first(tmp_path: Path) -> None:
    """T18: a program waits only when there is nothing left to give up."""
    with (
        small_disk(tmp_path / "disk", 44 * MIB) as disk,
        running_home(disk / "h") as home,
        home.client() as client,
    ):
        old = home.create(client, *printing(20 * MIB))
        home.ended(client, old.id)
        session = home.create(client, *printing(70 * MIB))
        info = home.ended(client, session.id)
        start = use_of(client, session.id).start

        assert info.offset == 70 * MIB // 100 * 100
        assert home.output(client, session.id, start) == printed(70 * MIB)[start:]


def screen(home: Home, client: Client, lines: int) -> str:
    session = home.create(client, "sh", "-c", f"stty raw; seq {lines}; exec cat")
    last = f"\n{lines}\n".encode()
    until(lambda: home.output(client, session.id).endswith(last), "the program to print")
    return session.id


def test_clear_keeps_a_screenful_and_every_offset(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = screen(home, client, 5000)
        before = home.output(client, session)

        erased = client.call(Clear(session=session))

        assert 0 < erased.start == erased.bytes < len(before)
        assert home.output(client, session, erased.start) == before[erased.start :]
        assert before[erased.start - 1 :].count(b"\n") >= 24
        assert len(before) - erased.start < 3000
        assert use_of(client, session).missing == [(0, erased.start, "cleared")]
        client.call(Input(session=session, offset=0, data=b"goes on"))
        until(lambda: home.output(client, session, erased.start).endswith(b"goes on"), "more")
        assert client.call(Get(session=session)).offset > len(before)
        assert everything_in(home.paths.state / "sessions" / session).count(b"\n17\n") == 0


def test_clear_of_what_has_ended(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", "stty raw; seq 5000")
        end = home.ended(client, session.id).offset
        erased = client.call(Clear(session=session.id))

        assert home.output(client, session.id, erased.start).endswith(b"\n5000\n")
        assert use_of(client, session.id).end == end


def test_a_forgotten_secret_is_nowhere(tmp_path: Path) -> None:
    secret = b"correct horse battery staple 4711"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", "stty raw -echo; seq 500; exec cat")
        until(lambda: home.output(client, session.id).endswith(b"\n500\n"), "the program")
        start = home.offset(client, session.id)
        client.call(Input(session=session.id, offset=0, data=secret))
        until(lambda: home.output(client, session.id).endswith(secret), "the secret")
        end = start + len(secret)
        assert secret in everything_in(home.paths.state)

        erased = client.call(Forget(session=session.id, since=start, until=end))

        assert (erased.bytes, erased.gone, erased.found) == (len(secret), False, [])
        assert secret not in everything_in(home.paths.state)
        assert use_of(client, session.id).missing == [(start, end, "forgotten")]
        with pytest.raises(OffsetPruned):
            client.call(Output(session=session.id, since=start, until=end))
        client.call(Input(session=session.id, offset=len(secret), data=b"goes on"))
        until(lambda: home.offset(client, session.id) == end + 7, "more output")
        assert client.call(Output(session=session.id, since=end)).data == b"goes on"
        home.next_daemon(home.kill_daemon())
        assert client.call(Output(session=session.id, until=start)).data.endswith(b"\n500\n")


def test_forgetting_says_where_else_it_is(tmp_path: Path) -> None:
    secret = "correct horse battery staple 4711"
    with running_home(tmp_path / "h") as home, home.client() as client:
        one, two = (home.create(client, "echo", secret) for _ in range(2))
        for session in (one, two):
            home.ended(client, session.id)

        erased = client.call(Forget(session=one.id))

        assert erased.gone
        assert any(f"/{two.id}/" in path for path in erased.found)


def test_a_forgotten_session_leaves_no_trace(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", "echo nobody-knows", name="tell-nobody")
        home.ended(client, session.id)
        until(lambda: b"tell-nobody" in everything_in(home.paths.state), "it to be written down")

        erased: Erased = client.call(Forget(session=session.id))

        assert (erased.gone, erased.found) == (True, [])
        with pytest.raises(NotFound):
            client.call(Get(session=session.id))
        assert not (home.paths.state / "sessions" / session.id).exists()
        left = everything_in(home.paths.state)
        assert b"nobody-knows" not in left
        assert b"tell-nobody" not in left
        home.next_daemon(home.kill_daemon())
        with pytest.raises(NotFound):
            client.call(Get(session=session.id))


def test_du_is_a_contract(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.hold("run", "-d", "-n", "build", "--", "sh", "-c", "seq 1000")
        with home.client() as client:
            home.ended(client, "build")
        (session,) = json.loads(home.hold("du", "--json"))["sessions"]

        assert {"session", "name", "state", "log", "other", "start", "end"} <= session.keys()
        assert session["log"] == session["end"] > 1000
        assert "build" in home.hold("du")


def test_an_ephemeral_session_takes_no_more_memory_than_it_may(tmp_path: Path) -> None:
    if not Path("/dev/shm").is_dir():
        pytest.skip("no file system in memory here")
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, *printing(40 * MIB, then="exec cat"), ephemeral=True)
        until(lambda: home.offset(client, session.id) >= 40 * MIB // 100 * 100, "its output", 60)
        until(lambda: use_of(client, session.id).log <= 17 * MIB, "the oldest to go")
        start = use_of(client, session.id).start
        assert home.output(client, session.id, start) == printed(40 * MIB)[start:]


def test_a_timeline_is_made_shorter_while_its_program_prints(tmp_path: Path) -> None:
    """A spinner wrote 27 MB a day, for ever."""
    with running_home(tmp_path / "h") as home:
        spin = ("sh", "-c", "while echo spin; do sleep 0.02; done")
        with home.client() as client:
            session = home.create(client, *spin, restore="always")
        home.power_off()
        timeline = home.paths.state / "sessions" / session.id / "timeline"
        with timeline.open("ab") as file:
            file.write(b"".join(encode(Resize(0, at, 80, 24)) for at in range(70_000)))
        with home.client() as client:
            client.call(Get(session=session.id))
            until(lambda: timeline.stat().st_size < MIB, "a shorter timeline")
            size = timeline.stat().st_size
            until(lambda: timeline.stat().st_size > size, "more of it")
            end = home.offset(client, session.id)
            until(lambda: _ticked(timeline) >= end, "ticks of what is printed")


def _ticked(timeline: Path) -> int:
    records = decode(timeline.read_bytes()).records
    return max(record.offset for record in records if isinstance(record, Tick))
