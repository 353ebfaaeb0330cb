"""`hold daemon install` and `uninstall`: a systemd unit of this user, or its text."""

import os
import pwd
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast.cli import door
from holdfast.cli.exits import OK, note
from holdfast.config.paths import Paths
from holdfast.errors import IoFailed

UNIT = "holdfast.service"
MARK = "# Written by `hold daemon install`; `hold daemon uninstall` takes it away."
LINGER = Path("/var/lib/systemd/linger")
TOOL_TIMEOUT = 30.0  # seconds; it waits for the daemon to be there
PLACES = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "PYTHONPATH")
NOT_SETTINGS = ("HOLDFAST_SESSION_ID", "HOLDFAST_DEBUG")  # of one session, of one command
UNIT_TEXT = """\
{mark}
# Clients connect to {socket}
[Unit]
Description=Holdfast, which keeps programs alive while viewers come and go

[Service]
# The keeper goes its own way: this only sees that there is one, and ends it in order.
Type=oneshot
RemainAfterExit=yes
# It restarts whatever of Holdfast dies, and a successor restarts it: nobody else must.
Restart=no
# Whatever is left of a stop is sessions; systemd is not to kill them beside the keeper.
KillMode=process
TimeoutStopSec=90
{environment}ExecStart={command} daemon start
ExecStop={command} daemon stop --yes

[Install]
WantedBy=default.target
"""


def install(values: Namespace) -> int:
    """Write the unit and have it started now and at every login; or print it."""
    text = unit_text(door.places(), os.environ, command())
    file = unit_file(os.environ)
    if values.dry_run:
        print(text, end="")
        note(f"nothing was written; it would be {file}")
        return OK
    _refuse_a_strangers(file)
    systemctl("show-environment", remedy=_by_hand(file))
    _write(file, text)
    systemctl("daemon-reload")
    systemctl("enable", "--now", UNIT)
    print(f"{file} is installed: the daemon is there from your first login on")
    user = pwd.getpwuid(os.getuid()).pw_name
    if not (LINGER / user).exists():
        note(f"sessions end with your last login, unless: loginctl enable-linger {user}")
    return OK


def uninstall(_values: Namespace) -> int:
    """Take the unit away; the daemon and its sessions go on."""
    file = unit_file(os.environ)
    if not os.path.lexists(file):
        note(f"nothing is installed: there is no {file}")
        return OK
    _refuse_a_strangers(file)
    try:
        systemctl("disable", UNIT)  # not --now: a stop would end every session
    except IoFailed as error:
        note(f"systemd could not be told ({error.reason}); it sees at its next start")
    file.unlink()
    try:
        systemctl("daemon-reload")
    except IoFailed:
        pass  # it was said above
    print(f"{file} is gone; what runs goes on")
    return OK


def unit_text(paths: Paths, environ: Mapping[str, str], words: list[str]) -> str:
    """Return the unit that starts *words* `daemon start` in this environment."""
    lines = [f"Environment={_quoted(f'{n}={v}')}\n" for n, v in sorted(_settings(environ))]
    return UNIT_TEXT.format(
        mark=MARK,
        socket=str(paths.socket).replace("\n", " "),
        environment="".join(lines),
        command=" ".join(_quoted(word).replace("$", "$$") for word in words),
    )


def unit_file(environ: Mapping[str, str]) -> Path:
    """Return where systemd looks for units of this user."""
    given = environ.get("XDG_CONFIG_HOME", "")
    config = Path(given) if given.startswith("/") else Path.home() / ".config"
    return config / "systemd" / "user" / UNIT


def command() -> list[str]:
    """Return how this very `hold` is called from anywhere."""
    own = Path(sys.argv[0])
    if own.is_absolute() and own.name in ("hold", "holdfast") and os.access(own, os.X_OK):
        return [str(own)]
    return [sys.executable, "-m", "holdfast"]


def systemctl(*words: str, remedy: str = "") -> None:
    """Have this user's systemd do something; raise IoFailed."""
    action = f"systemctl --user {' '.join(words)}"
    tool = shutil.which("systemctl")
    if tool is None:
        raise IoFailed(action=action, reason="there is no systemd here", remedy=remedy)
    try:
        done = subprocess.run(
            [tool, "--user", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TOOL_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise IoFailed(action=action, reason=str(error), remedy=remedy) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {done.returncode}"
        raise IoFailed(action=action, reason=reason, remedy=remedy)


# -- pieces


def _settings(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        is_own = name.startswith("HOLDFAST_") and name not in NOT_SETTINGS
        if is_own or (name in PLACES and value):
            yield name, value


def _quoted(word: str) -> str:
    """Return a word as systemd reads it, with nothing in it that means more."""
    is_plain = bool(word) and all(each.isalnum() or each in "-_=:,./@+" for each in word)
    for character, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("%", "%%")):
        word = word.replace(character, written)
    return word if is_plain else f'"{word}"'


def _by_hand(file: Path) -> str:
    return f"`hold daemon install --dry-run` prints the unit, for {file} on a machine that has one"


def _refuse_a_strangers(file: Path) -> None:
    try:
        begins = file.read_text(errors="replace").startswith(MARK)
    except FileNotFoundError:
        return
    if not begins:
        remedy = "look at it, and move it elsewhere"
        raise IoFailed(action=f"changing {file}", reason="somebody else wrote it", remedy=remedy)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{UNIT}.new")
    fresh.write_text(text)
    fresh.replace(file)  # whole, or as it was
