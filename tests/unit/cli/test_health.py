"""`hold daemon status` on one screen, with and without a daemon to ask."""

from typing import Any

from holdfast.cli.health import daemon_lines
from holdfast.protocol.messages import Echo, Stats
from tests.support.samples import STATS

NOW = 1_750_000_060.0
STATUS: dict[str, Any] = {
    "keeper": {"pid": 10, "started": NOW - 7200},
    "daemon": {"pid": 4711, "state": "running", "started": NOW - 60},
    "restarts": 2,
    "pump": "splice",
    "pump_reason": "",
    "sessions": 3,
}


def fields(stats: Stats) -> dict[str, Any]:
    return {name: getattr(stats, name) for name in stats.__struct_fields__}


def test_what_the_keeper_knows_when_no_daemon_answers() -> None:
    status = {
        "keeper": {"pid": 10, "started": NOW - 7200},
        "daemon": {"pid": None, "state": "waiting", "reason": "exit 1: no\nway", "next_try": 2.25},
        "restarts": 3,
        "pump": None,
        "pump_reason": "",
        "sessions": 2,
    }

    assert daemon_lines(status, now=NOW) == [
        "daemon    waiting, next try in 2.2 s: exit 1: no\\nway",
        "keeper    running, pid 10, up 2 h",
        "restarts  3",
        "pump      unknown",
        "sessions  2",
    ]


def test_everything_fits_one_screen() -> None:
    lines = daemon_lines(STATUS | {"stats": fields(STATS)}, now=NOW)

    assert lines[4:] == [
        "sessions  3 running, 1 exited",
        "recovery  2 adopted, 1 lost:not-rerun",
        "screens   3 sessions followed, 6.0 MiB behind, 1 it cannot read",
        "clients   4 connected, 9 look on, up to 5.0 MiB behind",
        "typed     7 B; half of the keys echoed within 1 ms, 99 of 100 after 10 ms",
        "printed   8.0 GiB",
        "denied    9 by role, 10 by owner",
        "waiting   12 B typed, 13 rows",
        "journal   64.0 KiB, newest event 1099511627776",
        "disk      1.0 GiB of output, up to 8.0 GiB; 80.0 GiB free",
        "warning   1 sessions wait for room on the disk",
        "warning   56 s ago: tidying up failed: no such file",
    ]
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 80


def test_long_reasons_are_cut_on_a_terminal() -> None:
    reason = {"state": "silent", "reason": "x" * 200}

    lines = daemon_lines(STATUS | {"daemon": reason}, now=NOW, width=80)

    assert len(lines[0]) == 80
    assert lines[0].endswith("…")


def test_a_daemon_that_has_just_begun_has_nothing_to_warn_of() -> None:
    fresh = fields(STATS) | {
        "sessions": {},
        "recovery": {},
        "stalled": 0,
        "complaint": "",
        "echo": Echo(bounds=[0.001], counts=[0, 0], sum=0.0),
    }

    lines = daemon_lines(STATUS | {"stats": fresh}, now=NOW)

    assert "sessions  none" in lines
    assert "typed     7 B" in lines
    assert not any(line.startswith("warning") for line in lines)
