"""`hold daemon ...`: asks the keeper itself, so it works when no daemon does."""

import os
import select
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from holdfast.cli import door, health, render
from holdfast.cli.exits import OK, Exit, note
from holdfast.config.load import load
from holdfast.config.paths import distrusted
from holdfast.config.settings import Config
from holdfast.errors import (
    DaemonUnreachable,
    InvalidSetting,
    IoFailed,
    TimedOut,
    UnknownRequest,
)
from holdfast.keeper import launch
from holdfast.keeper.ask import Gone, ask
from holdfast.protocol.messages import GetMetrics, GetStats, Role

UNREACHABLE = 7
STATUS_TIMEOUT = 2.0  # seconds; a keeper does nothing that takes time
RESTART_TIMEOUT = 20.0  # seconds: the check of the new version, TERM, 5 s, KILL, start
STOP_MARGIN = 10.0  # seconds beyond the grace that sessions are given
SUCCESSOR = 2.0  # seconds in which a successor appears when a keeper was killed
PAUSE = 0.05
UP = ("running", "starting", "adopting")


class NoKeeper(Exception):
    """Nobody listens on the keeper's socket."""


def start(_values: Namespace) -> int:
    """Start keeper and daemon, or say that they run."""
    with door.client() as client:
        print(f"daemon running, pid {client.welcome.pid}")
    return OK


def status(values: Namespace) -> int:
    """Show how daemon and keeper are."""
    try:
        found = _ask({"op": "status"}, STATUS_TIMEOUT, patient=True)
    except NoKeeper as error:
        if not values.json:
            note(f"no daemon is running; {error}")
            note("`hold daemon start` starts one, and so does any command that needs it")
        else:
            print(render.as_json({"ok": False, "reason": str(error), "daemon": None}))
        return UNREACHABLE
    if found["daemon"]["state"] in UP:
        found["daemon"] |= _greeted(found)
    if values.json:
        print(render.as_json(found))
    else:
        width = render.print_width(sys.stdout.fileno())
        print("\n".join(health.daemon_lines(found, now=render.clock(), width=width)))
    return OK if (found.get("daemon") or {}).get("state") in UP else UNREACHABLE


def metrics(_values: Namespace) -> int:
    """Print what the daemon counts; starts none, it would have counted nothing."""
    with door.client(Role.STREAM, autostart=False) as client:
        print(client.call(GetMetrics()).text, end="")
    return OK


def _greeted(found: dict[str, Any]) -> dict[str, str]:
    """Ask the daemon how it is: to its keeper one that hangs looks like any other."""
    try:
        with door.client(Role.STREAM, autostart=False) as client:
            stats = client.call(GetStats(), STATUS_TIMEOUT)
            found["stats"] = {name: getattr(stats, name) for name in stats.__struct_fields__}
    except UnknownRequest:
        pass  # a daemon from before there were statistics
    except (DaemonUnreachable, TimedOut) as error:
        return {"state": "silent", "reason": f"it does not answer; {error.fix}"}
    return {}


def restart(_values: Namespace) -> int:
    """Replace the daemon; sessions are not touched."""
    spec = launch.spec(door.places(), os.environ)
    if sys.stderr.isatty():
        note("checking the new daemon, then replacing the old one; sessions go on")
    try:
        reply = _ask({"op": "restart", "launch": spec}, RESTART_TIMEOUT, patient=True)
    except NoKeeper:
        _start_keeper(spec)
        if _ask({"op": "status"}, STATUS_TIMEOUT, patient=True)["daemon"]["state"] != "adopting":
            return start(_values)
        # The keeper was killed while the daemon hung: a restart wakes that one, then ends it.
        reply = _ask({"op": "restart", "launch": spec}, RESTART_TIMEOUT, patient=True)
    _insist(reply, "the daemon was not restarted")
    with door.client() as client:
        print(f"daemon running, pid {client.welcome.pid}")
    return OK


def stop(values: Namespace) -> int:
    """End keeper, daemon and every session."""
    try:
        found = _ask({"op": "status"}, STATUS_TIMEOUT, patient=False)
    except NoKeeper:
        note("no daemon is running")
        return OK
    if not values.yes and sys.stdin.isatty():
        _confirm(int(found.get("sessions") or 0))
    grace = _grace()
    try:
        reply = _ask({"op": "stop", "grace": grace}, grace + STOP_MARGIN, patient=False)
        _insist(reply, "the daemon was not stopped")
    except NoKeeper:
        pass  # gone before it could answer: that is what was asked for
    _wait_for_end(int(found["keeper"]["pid"]), grace + STOP_MARGIN)
    return OK


def _confirm(sessions: int) -> None:
    lives = {0: "no session lives", 1: "1 session will end"}
    print(lives.get(sessions, f"{sessions} sessions will end"), file=sys.stderr)
    print("stop the daemon? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        note("nothing was done")
        raise Exit(1)


def _grace() -> float:
    try:
        grace = load(door.places().config_file, os.environ).kill_grace
    except (InvalidSetting, IoFailed):  # stopping must work with any config
        grace = Config().kill_grace
    return grace or 0.0


# -- the keeper's socket


def _ask(body: dict[str, Any], timeout: float, *, patient: bool) -> dict[str, Any]:
    """Return the keeper's reply; raise NoKeeper.

    *patient*: where a keeper has been, its successor is given a moment to appear.
    """
    path = door.places().keeper_socket
    _refuse_strangers(path.parent)
    deadline = time.monotonic() + (SUCCESSOR if patient else 0.0)
    while True:
        try:
            return ask(str(path), body, timeout)
        except FileNotFoundError:
            raise NoKeeper(f"nothing at {path}") from None
        except (ConnectionError, Gone) as error:
            if time.monotonic() > deadline:
                raise NoKeeper(f"nobody answers on {path}: {error}") from None
        except TimeoutError as error:
            raise TimedOut(action=f"asking the keeper to {body['op']}", seconds=timeout) from error
        time.sleep(PAUSE)


def _refuse_strangers(runtime: Path) -> None:
    """Ask no keeper of somebody else: he may not be asked by root, nor may he answer for ours."""
    try:
        found = runtime.lstat()
    except OSError:
        return  # nobody is there to be asked
    refused = distrusted(runtime, found, os.getuid())
    if found.st_uid != os.getuid() and refused is not None:
        raise refused


def _start_keeper(spec: dict[str, Any]) -> None:
    paths = door.places()
    paths.prepare(os.getuid())
    try:
        launch.start(spec)
    except launch.StartFailed as error:
        raise DaemonUnreachable(path=str(paths.socket), reason=str(error)) from error


def _insist(reply: dict[str, Any], what: str) -> None:
    if not reply.get("ok"):
        reason = str(reply.get("reason") or "the keeper gave no reason")
        error = DaemonUnreachable(path=str(door.places().keeper_socket), reason=reason)
        fix = "nothing was changed; `hold daemon status` shows what runs"
        raise error.said(f"{what}: {reason}", fix)


def _wait_for_end(pid: int, timeout: float) -> None:
    """Wait until the process is gone: its lock and sockets are free then."""
    try:
        handle = os.pidfd_open(pid)
    except AttributeError:  # macOS: the keeper has let go of its socket when it replies
        return
    except ProcessLookupError:
        return
    try:
        if not select.select([handle], [], [], timeout)[0]:
            raise TimedOut(action=f"the end of the keeper (pid {pid})", seconds=timeout)
    finally:
        os.close(handle)
