"""What `hold doctor` asks of what is around: login manager, terminal, shell, clock."""

import os
import pwd
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from holdfast.cli.doctor_scene import BROKEN, OK, WARNING, Check, Finding, Scene
from holdfast.cli.render import age
from holdfast.terminal.rawmode import raw

YEARS = (2024, 2100)  # before the first is before this program, after the second is a mistake
JUMP = 120.0  # seconds; a clock that is set by the network moves by less
FUTURE = 3600.0  # seconds that a file may be ahead of the clock
SYSTEMD = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
TOOL_TIMEOUT = 2.0  # seconds; a bus that hangs must not keep anybody
# Which keyboard modes are on, and then what every terminal answers: what kind it is.
QUESTIONS = b"\x1b[?u\x1b[c"
ANSWER_TIMEOUT = 0.5  # seconds; a slow line takes a fifth of one
_KITTY, _FENCE = re.compile(rb"\x1b\[\?[0-9]+u"), re.compile(rb"\x1b\[\?[0-9;]*c")
COLOR_WORDS = ("truecolor", "24bit")


def logout(scene: Scene) -> Iterator[Finding]:
    """What the login manager does to processes when their user leaves."""
    if not SYSTEMD.exists() or shutil.which("loginctl") is None:
        yield Finding(OK, "no login manager here ends processes at a logout")
        return
    user = _user(scene.uid)
    if (LINGER / user).exists():
        yield Finding(OK, f"{user} may linger: sessions go on after a logout")
        return
    kills = _manager_says("KillUserProcesses") == "yes"
    what = "a logout ends every process" if kills else "the last logout ends your service manager"
    yield Finding(WARNING, f"{what}, and sessions with it", f"loginctl enable-linger {user}")


def terminal(scene: Scene) -> Iterator[Finding]:
    """What the terminal says it can do."""
    name = scene.environ.get("TERM", "")
    if not name and not sys.stdout.isatty():
        yield Finding(OK, "there is none here")
        return
    if name in ("", "dumb"):
        what = f"TERM is {name!r}: nothing but plain text can be shown"
        yield Finding(WARNING, what, "export TERM=xterm-256color, if that is what it is")
    elif complaint := _unknown(name):
        what = f"TERM is {name!r}, and this system does not know it ({complaint})"
        yield Finding(WARNING, what, "install its terminfo entry, or export TERM=xterm-256color")
    else:
        yield Finding(OK, f"TERM is {name}")
    if scene.environ.get("COLORTERM", "").lower() in COLOR_WORDS:
        yield Finding(OK, "it shows 24-bit colours")
    else:
        yield Finding(OK, "COLORTERM does not promise 24-bit colours; programs may use 256")
    yield _keyboard(name)


def locale(scene: Scene) -> Iterator[Finding]:
    """Whether programs take its text for UTF-8."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    name, value = next(((n, v) for n in names if (v := scene.environ.get(n))), ("LANG", ""))
    if value.lower().replace("-", "").partition(".")[2].startswith("utf8"):
        yield Finding(OK, f"{name} is {value}")
    else:
        what = f"{name} is {value!r}: programs may show umlauts and boxes as rubbish"
        yield Finding(WARNING, what, "export LANG=C.UTF-8, or another that ends in UTF-8")


def shell(scene: Scene) -> Iterator[Finding]:
    """What shells tell of the commands that run in them."""
    found = scene.environ.get("SHELL", "")
    if found and not (os.path.isabs(found) and os.access(found, os.X_OK)):  # noqa: PTH117 - a text
        yield Finding(BROKEN, f"SHELL is {found!r}, which cannot be run", "export SHELL=/bin/sh")
    what = "this version puts nothing into shells; `hold commands` has what they tell by themselves"
    yield Finding(OK, what)


def clock(scene: Scene) -> Iterator[Finding]:
    """Whether the clock is sane, and was not moved under the keeper."""
    year = time.gmtime(scene.now).tm_year
    fix = "set it: timedatectl set-ntp true, or date -s"
    if not YEARS[0] <= year < YEARS[1]:
        yield Finding(BROKEN, f"the clock says it is the year {year}", fix)
    elif ahead := _ahead(scene):
        what = f"the journal was written {age(ahead)} in the future: the clock was set back"
        yield Finding(
            WARNING, what, f"times may look odd, nothing is lost; if it is wrong now, {fix}"
        )
    elif abs(moved := _moved(scene)) > JUMP:
        way = "forward" if moved > 0 else "back"
        what = f"the clock was set {way} by {age(abs(moved))} since the keeper began"
        yield Finding(WARNING, what, "ages from before are off by that; nothing else is")
    else:
        yield Finding(OK, time.strftime("it is %Y-%m-%d %H:%M", time.localtime(scene.now)))


CHECKS = (
    Check("logout", "do sessions outlive it?", logout, needs_places=False),
    Check("terminal", "what can it do?", terminal, needs_places=False),
    Check("locale", "is text UTF-8?", locale, needs_places=False),
    Check("shell", "can it be run, and what does it tell?", shell, needs_places=False),
    Check("clock", "is it sane, and was it moved?", clock),
)


# -- how it is found out


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _manager_says(name: str) -> str:
    """Return a property of the login manager; empty when it does not say."""
    try:
        asked = subprocess.run(
            ["loginctl", "show-session", f"--property={name}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TOOL_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.decode(errors="replace").strip().partition("=")[2]


def _keyboard(name: str) -> Finding:
    """Ask the terminal itself, if somebody sits there who does not see the question."""
    out, keys = sys.stdout.fileno(), 0
    if name in ("", "dumb") or not (os.isatty(out) and os.isatty(keys)):
        return Finding(OK, "its keyboard is not asked: nobody sits here")
    if os.tcgetpgrp(keys) != os.getpgrp():
        return Finding(OK, "its keyboard is not asked: this runs in the background")
    answer, until = b"", time.monotonic() + ANSWER_TIMEOUT
    with raw(keys):
        os.write(out, QUESTIONS)
        while not _FENCE.search(answer) and (left := until - time.monotonic()) > 0:
            if select.select([keys], [], [], left)[0]:
                answer += os.read(keys, 1024)
    if b"\x1b[?" not in answer:
        what = "it answers no questions: programs that ask what it is wait in vain"
        return Finding(
            WARNING, what, "use another terminal, or export TERM=dumb where it has no better"
        )
    if _KITTY.search(answer):
        return Finding(OK, "it has the kitty keyboard: every key is told apart")
    return Finding(OK, "it has ordinary keys, without the kitty keyboard")


def _unknown(name: str) -> str:
    """Return why the system has no description of a terminal."""
    import curses  # noqa: PLC0415 - some Pythons are built without it

    try:
        curses.setupterm(name, sys.stdout.fileno())
    except curses.error as error:
        return str(error)
    return ""


def _ahead(scene: Scene) -> float:
    try:
        ahead = scene.places.journal.stat().st_mtime - scene.now
    except OSError:
        return 0.0
    return ahead if ahead > FUTURE else 0.0


def _moved(scene: Scene) -> float:
    """Return by how much the clock was moved since the keeper began; boot time does not jump."""
    found = scene.part("keeper")
    try:
        fields = Path(f"/proc/{int(found['pid'])}/stat").read_text().rpartition(")")[2].split()
        begun = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        lasted = time.clock_gettime(time.CLOCK_BOOTTIME) - begun
        return scene.now - float(found["started"]) - lasted
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return 0.0
