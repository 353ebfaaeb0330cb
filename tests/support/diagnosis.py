"""`hold doctor`, asked for what it finds, and what is planted for it."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.hold import HOLD, Hold
from tests.support.home import until

SANE = {"LANG": "C.UTF-8", "LC_ALL": "", "LC_CTYPE": ""}
Finding = dict[str, Any]


def found(hold: Hold, *, broken: bool = False, **environ: str) -> list[Finding]:
    """Return every finding; the exit code says whether one is of something broken."""
    done = hold.run("doctor", "--json", input=b"", **(SANE | environ))
    assert done.stderr == b""
    told = json.loads(done.stdout)
    levels = {each["level"] for each in told["findings"]}
    assert (done.returncode, told["ok"], "broken" in levels) == (broken, not broken, broken), told
    return list(told["findings"])


def the_one(findings: list[Finding], check: str, level: str, what: str) -> Finding:
    """Return the finding of a check; whatever is wrong has a fix."""
    named = [each for each in findings if each["check"] == check and each["level"] == level]
    (one,) = [each for each in named if what in each["what"]]
    assert one["fix"], one
    return one


def power_off(hold: Hold) -> None:
    """SIGKILL everything at once, as a machine that goes off."""
    pids = hold.processes()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)
    until(lambda: hold.processes() == [], "the last process to be gone")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def limited(hold: Hold, limit: str) -> list[Finding]:
    """Look with a limit of a shell's."""
    script = f'ulimit {limit}; exec "$0" "$@"'
    words = ["sh", "-c", script, *HOLD, "doctor", "--json"]
    done = subprocess.run(words, env=hold.environ | SANE, capture_output=True, check=False)
    return list(json.loads(done.stdout)["findings"])
