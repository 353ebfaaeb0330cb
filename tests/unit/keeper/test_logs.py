"""The logs of keeper, daemon, reader and host: three of 5 MiB at most, and no line twice."""

import os
import subprocess
import sys
from pathlib import Path

from holdfast.keeper.place import LOG_LIMIT, open_log

TURNS = """
import os, sys
from holdfast.keeper.place import turn_over
turn_over(sys.argv[1])
os.write(1, b"out\\n")
os.write(2, b"err\\n")
"""


def write(path: Path, first: bytes, size: int = 0) -> None:
    """Append a line as a process behind the daemon does, and fill the file up to a size."""
    log = open_log(str(path))
    os.write(log, first)
    if size:
        os.ftruncate(log, size)
    os.close(log)


def firsts(path: Path) -> dict[str, bytes]:
    found = sorted(path.parent.iterdir())
    return {each.name: each.read_bytes().split(b"\n")[0] for each in found}


def test_a_log_that_has_grown_is_rotated_and_two_older_ones_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    for number in range(4):
        write(log, b"%d\n" % number, LOG_LIMIT + 1)

    write(log, b"4\n")
    write(log, b"5\n")

    assert firsts(log) == {"daemon.log": b"4", "daemon.log.1": b"3", "daemon.log.2": b"2"}
    assert log.read_bytes() == b"4\n5\n"


def test_a_log_of_just_the_limit_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    write(log, b"0\n", LOG_LIMIT)

    write(log, b"1\n")

    assert firsts(log) == {"daemon.log": b"0"}


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    write(tmp_path / "daemon.log", b"0\n")

    assert (tmp_path / "daemon.log").stat().st_mode & 0o777 == 0o600


def turned(path: Path) -> None:
    """Run what has its output in the log already, and goes on in a fresh one if it has to."""
    with path.open("ab") as log:
        subprocess.run(
            [sys.executable, "-c", TURNS, str(path)],
            stdout=log,
            stderr=log,
            timeout=60,
            check=True,
        )


def test_who_has_it_open_goes_on_in_the_fresh_one(tmp_path: Path) -> None:
    log = tmp_path / "keeper.log"
    write(log, b"0\n", LOG_LIMIT + 1)

    turned(log)

    assert firsts(log) == {"keeper.log": b"out", "keeper.log.1": b"0"}
    assert log.read_bytes() == b"out\nerr\n"


def test_who_has_a_small_one_open_stays_there(tmp_path: Path) -> None:
    log = tmp_path / "keeper.log"
    write(log, b"0\n")

    turned(log)

    assert log.read_bytes() == b"0\nout\nerr\n"
