"""`hold show`, `hold stats`, `hold daemon logs`, and what is said of the disk."""

import os
import subprocess

import pytest

from tests.support.hold import HOLD, Hold
from tests.support.home import until

pytestmark = pytest.mark.slow

MIB = 1 << 20


def shown(hold: Hold, session: str) -> dict[str, str]:
    lines = hold.ok("show", session).splitlines()
    return {line[:10].strip(): line[10:] for line in lines}


def test_everything_about_one_that_lives(hold: Hold) -> None:
    session = hold.start("-n", "build", "-k", "proj", "--size", "90x30", "--", "sh", "-c",
                         "echo hello; exec sleep 100")  # fmt: skip
    hold.ok("output", session, "--follow", "--until", "7")

    found = shown(hold, "build")

    assert found["session"] == f"{session} (build), key proj"
    assert found["command"] == "sh -c 'echo hello; exec sleep 100'"
    assert found["state"].startswith("running, pid ")
    assert found["size"] == "90x30"
    assert found["owner"] == "nobody"
    assert found["printed"] == "7 B, 7 bytes"
    assert found["kept"].startswith("from 0 to 7: 7 B of output, ")
    assert "ended" not in found


def test_the_post_mortem_of_one_that_has_ended(hold: Hold) -> None:
    session = hold.start("--", "sleep", "100")
    hold.ok("signal", session, "TERM")
    hold.run("wait", session)

    found = shown(hold, session)

    assert found["state"] == "exited SIGTERM"
    assert "after" in found["ended"]
    assert found["ended by"] == "script"
    assert found["memory"].endswith("MiB at most")


def test_a_hole_is_shown_with_its_reason(hold: Hold) -> None:
    session = hold.start("--", "sh", "-c", "echo 0123456789; exec sleep 100")
    hold.ok("output", session, "--follow", "--until", "12")
    hold.ok("forget", session, "--since", "2", "--until", "5", "--yes")

    assert shown(hold, session)["hole"] == "2 to 5: forgotten"


def disk(hold: Hold) -> str:
    (line,) = [each for each in hold.ok("daemon", "status").splitlines() if each[:4] == "disk"]
    return line


def test_what_was_printed_is_on_the_disk_at_once(hold: Hold) -> None:
    """`disk 0 B of output` was once said when 14 B had been printed: only at a segment's end."""
    first = hold.start("--", "sh", "-c", "echo 012345678901; exec sleep 100")
    hold.ok("output", first, "--follow", "--until", "14")
    assert "14 B of output" in disk(hold)

    second = hold.start("--", "sh", "-c", "echo 0123")
    hold.run("wait", second)
    until(lambda: "20 B of output" in disk(hold), "the end of the second to be counted")
    hold.ok("forget", second, "--yes")
    until(lambda: "14 B of output" in disk(hold), "what is forgotten to be counted no more")
    hold.ok("daemon", "restart")
    until(lambda: "14 B of output" in disk(hold), "the next daemon to have looked")
    hold.run("send", first, "x")
    until(lambda: "15 B of output" in disk(hold), "what is echoed to be counted")


def test_stats_start_nothing_and_are_for_people(hold: Hold) -> None:
    assert hold.run("stats").returncode == 7
    assert hold.processes() == []
    hold.start("--", "sleep", "100")

    lines = hold.ok("stats").splitlines()

    assert any(line.startswith("sessions") and "1 running" in line for line in lines)
    assert len(lines) < 24


# -- logs


def test_logs_are_in_order_and_of_one_process_if_that_is_wanted(hold: Hold) -> None:
    assert "nothing was reported yet" in hold.run("daemon", "logs").stderr.decode()
    session = hold.start("-n", "a", "--", "true")
    hold.run("wait", session)

    lines = hold.ok("daemon", "logs").splitlines()
    alone = hold.ok("daemon", "logs", "daemon").splitlines()

    assert any(
        line.startswith("daemon  20") and f"created session={session}" in line for line in lines
    )
    assert [line[8:] for line in lines if line.startswith("daemon ")] == alone
    assert alone == sorted(alone)


def test_a_log_is_turned_over_while_its_process_runs(hold: Hold) -> None:
    """5 MiB and two older ones; and who follows sees what comes before and after."""
    hold.start("--", "sleep", "100")
    log = hold.home / "state" / "daemon.log"
    with subprocess.Popen(
        [*HOLD, "daemon", "logs", "daemon", "-f"], env=hold.environ, stdout=subprocess.PIPE
    ) as following:
        assert following.stdout is not None
        try:
            for turn in (1, 2, 3):
                grow(log, turn)
                session = hold.start("--", "true")
                wanted = [f" {kind} session={session}".encode() for kind in ("created", "exit")]
                while wanted:
                    line = following.stdout.readline()
                    wanted = [each for each in wanted if each not in line]
        finally:
            following.kill()

    sizes = {path.name: path.stat().st_size for path in log.parent.glob("daemon.log*")}
    assert sizes.keys() == {"daemon.log", "daemon.log.1", "daemon.log.2"}
    assert sizes["daemon.log"] < MIB
    assert sizes["daemon.log.1"] > 5 * MIB


def grow(log: os.PathLike[str], turn: int) -> None:
    """Append lines, as the daemon would have in a month."""
    line = f"2026-01-0{turn}T00:00:00.000Z info grown {'x' * 1000}\n".encode()
    with open(log, "ab") as file:  # noqa: PTH123 - appended to like its owner does
        file.write(line * (6 * MIB // len(line)))
