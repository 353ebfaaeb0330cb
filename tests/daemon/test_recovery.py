"""Keeper and daemon killed together: what was lost, what comes back, and what only when asked."""

import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import CommandNotFound, OffsetPruned, PermissionDenied, SessionGone
from holdfast.formats.timeline import Inserted, Life, Tick, decode
from holdfast.protocol.messages import (
    Du,
    Get,
    Input,
    Kill,
    List,
    Output,
    Restore,
    SessionInfo,
)
from holdfast.store import Journal, verify
from tests.support.asking import Client
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

TALKER = "import sys, time; print('made by', *sys.argv[1:], flush=True); time.sleep(1000)"


def shell(home: Home, client: Client, **more: Any) -> SessionInfo:
    """Start a shell, and have it print something."""
    session = home.create(client, "sh", **more)
    type_in(client, session.id, b"echo first $((40 + 2)) life\n")
    until(lambda: b"first 42 life" in home.output(client, session.id), "the shell to answer")
    return session


def type_in(client: Client, session: str, data: bytes, at: int = 0) -> int:
    return client.call(Input(session=session, offset=at, data=data)).end


def talker(home: Home, client: Client, **more: Any) -> SessionInfo:
    session = home.create(client, sys.executable, "-I", "-S", "-c", TALKER, "the first", **more)
    until(lambda: b"made by the first" in home.output(client, session.id), "the program to print")
    return session


def found(client: Client, session: str) -> SessionInfo:
    """Return a session from the list of all, as `hold ls --all` does."""
    (one,) = [each for each in client.call(List(ended=True)).sessions if each.id == session]
    return one


def test_a_shell_is_dormant_until_somebody_wants_it(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            before = shell(home, client, name="work", key="k", cols=101, rows=33)
            printed = home.output(client, before.id)
        home.power_off()
        with home.client() as client:
            slept = found(client, before.id)
            assert (slept.state, slept.recovery, slept.pid) == ("dormant", "restored", None)
            assert home.output(client, before.id)[: len(printed)] == printed
            with pytest.raises(SessionGone, match="hold restore"):
                type_in(client, before.id, b"x")

            again = client.call(Restore(session="work"))

            assert (again.state, again.recovery, again.life) == ("running", "restored", 2)
            same = ("id", "name", "key", "argv", "cwd", "cols", "rows", "created")
            assert [getattr(again, n) for n in same] == [getattr(before, n) for n in same]
            log = home.output(client, before.id)
            assert log.startswith(printed)
            assert "── restored ".encode() in log[len(printed) :]
            type_in(client, before.id, b"stty size; echo again $((40 + 3))\n")
            until(lambda: b"again 43" in home.output(client, before.id), "the shell to answer")
            assert b"33 101" in home.output(client, before.id)


def test_a_program_is_not_run_again_unasked(tmp_path: Path) -> None:
    """T36: it might deploy, delete or pay a second time."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = talker(home, client)
        home.power_off()
        with home.client() as client:
            lost = found(client, session.id)
            assert (lost.state, lost.recovery) == ("lost", "lost:not-rerun")
            assert home.output(client, session.id).count(b"made by the first") == 1

            client.call(Restore(session=session.id))

            until(lambda: home.output(client, session.id).count(b"made by the first") == 2, "it")


def test_what_is_wanted_always_runs_again_by_itself(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = talker(home, client, restore="always")
        home.power_off()
        with home.client() as client:
            until(lambda: found(client, session.id).state == "running", "it to run again")
            until(lambda: home.output(client, session.id).count(b"made by the first") == 2, "it")
            assert found(client, session.id).life == 2


def test_what_is_never_wanted_again_is_lost(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client, restore="never")
        home.power_off()
        with home.client() as client:
            assert found(client, session.id).recovery == "lost:never"


def test_what_had_ended_stays_ended(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = home.create(client, "sh", "-c", "echo bye; exit 3")
            home.ended(client, session.id)
        home.power_off()
        with home.client() as client:
            ended = found(client, session.id)
            assert (ended.state, ended.exit_code) == ("exited", 3)
            assert home.output(client, session.id) == b"bye\r\n"


def test_restores_that_achieve_nothing_end(tmp_path: Path) -> None:
    """T36: at every boot the same, and it may be what brings the machine down."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = talker(home, client, restore="always")
        for life in (2, 3, 4):
            home.power_off()
            with home.client() as client:
                until(lambda: found(client, session.id).state == "running", "it to run again")
                assert found(client, session.id).life == life
        home.power_off()
        with home.client() as client:
            assert found(client, session.id).recovery == "lost:restore-loop"


def test_a_reboot_takes_the_runtime_directory_with_it(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            sleeps = shell(home, client)
            gone = talker(home, client)
        home.power_off()
        shutil.rmtree(home.paths.runtime)
        with home.client() as client:
            assert found(client, sleeps.id).state == "dormant"
            assert found(client, gone.id).recovery == "lost:not-rerun"
            assert b"first 42 life" in home.output(client, sleeps.id)
            assert client.call(Restore(session=sleeps.id)).state == "running"


def test_a_key_finds_what_sleeps_and_wakes_it(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client, key="mine")
        home.power_off()
        with home.client() as client:
            created = client.call(home.create_request("sh", key="mine"))

            assert (created.outcome, created.session.id) == ("restored", session.id)
            assert created.session.state == "running"


def test_its_directory_and_environment_come_back_but_no_secret(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            # Only now: what the keeper itself has comes back in any case.
            home.environ |= {"FAVOURITE": "blue", "MY_TOKEN": "hunter2"}
            session = shell(home, client)
            type_in(client, session.id, f"cd {tmp_path}/deep\n".encode(), at=28)
            until(lambda: found(client, session.id).cwd == str(tmp_path / "deep"), "its new cwd")
            until(lambda: f"{tmp_path}/deep" in journalled(home, session.id), "it to be written")
        home.power_off()
        del home.environ["FAVOURITE"], home.environ["MY_TOKEN"]
        with home.client() as client:
            assert client.call(Restore(session=session.id)).cwd == str(tmp_path / "deep")
            end = len(home.output(client, session.id))
            type_in(client, session.id, b"pwd; echo $FAVOURITE-$MY_TOKEN-\n")
            until(lambda: b"blue--" in home.output(client, session.id, end), "the environment")
            assert f"{tmp_path}/deep\r\n".encode() in home.output(client, session.id, end)
        assert b"hunter2" not in everything_in(home.paths.state)


def journalled(home: Home, session: str) -> str:
    """Return what the journal has of a session by now."""
    with closing(sqlite3.connect(f"file:{home.paths.journal}?mode=ro", uri=True)) as journal:
        rows = journal.execute("SELECT facts FROM sessions WHERE id = ?", (session,)).fetchall()
    return str(rows)


def everything_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_directory_that_is_gone_is_said_and_home_taken(tmp_path: Path) -> None:
    """T21."""
    (tmp_path / "gone").mkdir()
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client, cwd=str(tmp_path / "gone"))
        home.power_off()
        (tmp_path / "gone").rmdir()
        with home.client() as client:
            client.call(Restore(session=session.id))
            assert b"gone is no longer there" in home.output(client, session.id)


def test_a_program_that_is_gone_is_said(tmp_path: Path) -> None:
    """T21."""
    mine = tmp_path / "sh"
    shutil.copy("/bin/sh", mine)
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = home.create(client, str(mine))
        home.power_off()
        mine.unlink()
        with home.client() as client:
            assert found(client, session.id).state == "dormant"
            with pytest.raises(CommandNotFound):
                client.call(Restore(session=session.id))
            assert found(client, session.id).recovery == "lost:command-not-found"
            shutil.copy("/bin/sh", mine)
            assert client.call(Restore(session=session.id)).state == "running"


def test_what_sleeps_can_be_let_go(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client)
        home.power_off()
        with home.client() as client:
            killed = client.call(Kill(session=session.id))
            assert (killed.state, killed.recovery) == ("lost", "lost:killed")


def test_an_ended_session_runs_again_when_asked_to(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", "echo once")
        for life in (2, 3):
            home.ended(client, session.id)
            assert client.call(Restore(session=session.id)).life == life
        home.ended(client, session.id)
        assert home.output(client, session.id).count(b"once") == 3


def test_the_timeline_knows_what_holdfast_wrote_itself(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", "echo once")
        home.ended(client, session.id)
        client.call(Restore(session=session.id))
        home.ended(client, session.id)
        log = home.output(client, session.id)
        directory = home.paths.state / "sessions" / session.id
        records = decode((directory / "timeline").read_bytes()).records
        (inserted,) = [record for record in records if isinstance(record, Inserted)]
        lives = [(record.number, record.offset) for record in records if isinstance(record, Life)]
        end = inserted.offset + inserted.length

        assert log[: inserted.offset] + log[end:] == b"once\r\nonce\r\n"
        assert lives == [(1, 0), (2, end)]
        assert verify(directory) is None


def test_an_ephemeral_session_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    if not Path("/dev/shm").is_dir():
        pytest.skip("no file system in memory here")
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = home.create(client, "sh", name="secret-name", ephemeral=True)
            type_in(client, session.id, b"echo nobody-$((1 + 1))-knows\n")
            until(lambda: b"nobody-2-knows" in home.output(client, session.id), "its output")
            home.next_daemon(home.kill_daemon())
            assert found(client, session.id).recovery == "adopted"
            assert b"nobody-2-knows" in home.output(client, session.id)
            kept = everything_in(home.paths.state)
            assert b"nobody-2-knows" not in kept
            assert b"secret-name" not in kept
        home.power_off()
        with home.client() as client:
            assert [s.id for s in client.call(List(ended=True)).sessions] == []


def test_what_somebody_put_in_the_place_of_ephemeral_sessions_is_left_alone(tmp_path: Path) -> None:
    """T16: all users have one memory, and a name in it can be foreseen."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = home.create(client, "sleep", "1000", ephemeral=True)
            (directory,) = Path("/dev/shm").glob(f"holdfast-{os.getuid()}-*/{session.id}")
        home.power_off()
        dear = tmp_path / "dear" / "pictures"
        dear.mkdir(parents=True, mode=0o700)
        memory = directory.parent
        shutil.rmtree(memory)
        memory.symlink_to(dear.parent)
        try:
            with home.client() as client:
                assert client.call(List(ended=True)).sessions == []
                assert dear.is_dir()
                with pytest.raises(PermissionDenied, match="link"):
                    home.create(client, "sleep", "1000", ephemeral=True)
        finally:
            memory.unlink()


def test_a_damaged_journal_takes_no_session_with_it(tmp_path: Path) -> None:
    """T19."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            living = shell(home, client, name="lives")
            ended = home.create(client, "sh", "-c", "echo ended")
            home.ended(client, ended.id)
            until(lambda: found(client, ended.id).state == "exited", "its end to be written")
        home.power_off()
        journal = home.paths.journal
        for path in (journal, journal.with_name(journal.name + "-wal")):
            if path.exists():
                path.write_bytes(bytes(path.stat().st_size))
        with home.client() as client:
            sessions = {each.id: each for each in client.call(List(ended=True)).sessions}
            assert sessions[living.id].recovery == "lost:journal"
            assert sessions[ended.id].recovery == "lost:journal"
            assert home.output(client, ended.id) == b"ended\r\n"
            assert list(journal.parent.glob("journal.db.damaged-*"))
            assert client.call(Get(session=living.id)).state == "lost"


def shut_down(home: Home) -> None:
    """End keeper, daemon and programs as a system does that goes down."""
    status = home.with_spare()
    os.kill(status["keeper"]["pid"], signal.SIGTERM)
    until(lambda: not home.pids(), "keeper and daemons to be gone")


def test_a_shutdown_in_good_order_ends_nothing_for_good(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            sleeps = shell(home, client)
            wanted = talker(home, client, restore="always")
            program = talker(home, client)
            killed = shell(home, client)
            client.call(Kill(session=killed.id, now=True))
            home.ended(client, killed.id)
        shut_down(home)
        with home.client() as client:
            assert (found(client, sleeps.id).state, found(client, sleeps.id).life) == ("dormant", 1)
            until(lambda: found(client, wanted.id).state == "running", "it to run again")
            assert found(client, wanted.id).life == 2
            assert found(client, program.id).state == "exited"
            assert found(client, killed.id).state == "exited"
            assert client.call(Restore(session=sleeps.id)).life == 2


def test_a_stop_that_somebody_asked_for_ends_everything(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client)
        home.hold("daemon", "stop", "--yes")
        with home.client() as client:
            assert found(client, session.id).state == "exited"


def test_a_restore_sent_twice_starts_one_program(tmp_path: Path) -> None:
    """T33."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", "echo once")
        home.ended(client, session.id)
        assert client.call(Restore(session=session.id, life=1)).life == 2
        home.ended(client, session.id)

        assert client.call(Restore(session=session.id, life=1)).life == 2
        assert home.output(client, session.id).count(b"once") == 2


def test_two_who_restore_at_once_get_the_same_program(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client)
        home.power_off()
        with home.client() as one, home.client() as two:
            numbers = one.ask(Restore(session=session.id)), two.ask(Restore(session=session.id))
            assert numbers[0]
            until(lambda: found(one, session.id).state == "running", "it to run")
            assert found(two, session.id).life == 2
            assert home.output(one, session.id).count("── restored ".encode()) == 1


def lose_power(home: Home) -> None:
    """End everything, and have the next start find another boot."""
    home.power_off()
    with Journal.open(home.paths.journal) as journal:
        journal.note("boot", "another boot").result()


def logs(home: Home, session: str) -> list[Path]:
    return sorted((home.paths.state / "sessions" / session).glob("*.log"))


def test_a_log_that_lost_its_end_in_a_power_cut_never_goes_back(tmp_path: Path) -> None:
    """T19: what a viewer has seen and the disk has not must not be printed twice over."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client)
            type_in(client, session.id, b"seq 1000\n", at=28)
            until(lambda: b"\n1000\r\n" in home.output(client, session.id), "its output")
            end = known_whole(home, client, session.id)
            seen = home.output(client, session.id)
        lose_power(home)
        (log,) = logs(home, session.id)
        os.truncate(log, 1000)
        with log.open("ab") as file:
            file.write(bytes(500))  # what a file system leaves that had no time for more
        with home.client() as client:
            slept = found(client, session.id)
            assert slept.state == "dormant"
            assert slept.offset == len(seen)
            (use,) = client.call(Du()).sessions
            ((start, end, reason),) = use.missing
            assert reason == "torn"
            assert start <= 1000 < end == slept.offset
            with pytest.raises(OffsetPruned):
                client.call(Output(session=session.id, since=start))

            restored = client.call(Restore(session=session.id))

            assert client.call(Output(session=session.id, until=start)).data == seen[:start]
            assert restored.offset > end
            assert "── restored ".encode() in home.output(client, session.id, end)
        assert list(log.parent.glob("*.torn-*"))


def test_a_power_cut_that_cost_nothing_costs_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client)
            known_whole(home, client, session.id)
            seen = home.output(client, session.id)
        lose_power(home)
        with home.client() as client:
            assert home.output(client, session.id) == seen
            assert client.call(Du()).sessions[0].missing == []


def known_whole(home: Home, client: Client, session: str) -> int:
    """Wait until the timeline knows all that is printed, a late prompt too; return its end."""

    def both() -> bool:
        return timeline_end(home, session) == found(client, session).offset

    until(both, "the timeline to know it all")
    return timeline_end(home, session)


def timeline_end(home: Home, session: str) -> int:
    """Return up to where a timeline vouches for its log."""
    records = decode((home.paths.state / "sessions" / session / "timeline").read_bytes()).records
    return max((record.offset for record in records if isinstance(record, Tick)), default=0)


def test_a_policy_that_only_a_newer_version_knows_starts_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client)
            other = shell(home, client)
        home.power_off()
        with Journal.open(home.paths.journal) as journal:
            (row,) = [row for row in journal.sessions() if row["id"] == session.id]
            row |= {"restore": "on-tuesdays", "something": "new"}
            journal.put_session(session.id, session.created, "running", row).result()
        with home.client() as client:
            assert found(client, session.id).recovery == "lost:never"
            assert found(client, other.id).state == "dormant"
            assert client.call(Restore(session=session.id)).state == "running"


def test_a_newer_home_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """An older Holdfast in the home of a newer one."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = shell(home, client)
        home.power_off()
        with sqlite3.connect(home.paths.journal) as journal:
            journal.execute("PRAGMA user_version = 99")
            journal.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
            journal.execute("UPDATE meta SET value = '7.0' WHERE name = 'holdfast_version'")
        journal.close()
        before = {path: path.read_bytes() for path in home.paths.state.rglob("*.db*")}

        said = home.failing("ls")

        assert "install Holdfast 7.0" in said
        assert {path: path.read_bytes() for path in before} == before
        assert b"first 42 life" in logs(home, session.id)[0].read_bytes()
