"""The log of hosts: how large it grows, and that several can write into it."""

import logging
import stat
from pathlib import Path

from holdfast.host.logfile import LARGEST, Shared

LINE = "x" * (LARGEST // 16)


def write(log: Shared, text: str) -> None:
    log.handle(logging.makeLogRecord({"msg": text}))


def test_a_log_that_has_grown_begins_anew_and_two_older_ones_are_kept(tmp_path: Path) -> None:
    """A host that stays for weeks is not started again, and its log grew for ever."""
    file = tmp_path / "host.log"
    one, other = Shared(file), Shared(file)
    for number in range(4 * 16):
        write(one, LINE)
        write(other, f"{number}")
    for log in (one, other):
        log.close()

    kept = {each.name: each.stat() for each in tmp_path.iterdir()}
    assert set(kept) == {"host.log", "host.log.1", "host.log.2"}
    assert max(each.st_size for each in kept.values()) < LARGEST + 2 * len(LINE)
    assert {stat.S_IMODE(each.st_mode) for each in kept.values()} == {0o600}


def test_two_that_find_it_grown_begin_one_new_log(tmp_path: Path) -> None:
    file = tmp_path / "host.log"
    one, other = Shared(file), Shared(file)
    write(one, "a" * (LARGEST + 1))
    write(one, "by one")
    write(other, "by the other")
    for log in (one, other):
        log.close()

    assert file.read_text() == "by one\nby the other\n"
    assert not (tmp_path / "host.log.2").exists()
