"""`hold run`, `hold kill`."""

import os
import sys
from argparse import Namespace
from collections.abc import Mapping

from holdfast.cli import choosing, door, render
from holdfast.cli.exits import OK, OWN_FAILURE, Exit, Usage, code_of_codes, note
from holdfast.cli.waiting import end_of
from holdfast.client.plain import Client
from holdfast.errors import HoldfastError
from holdfast.protocol.messages import (
    Create,
    Created,
    Kill,
    KillAll,
    SessionInfo,
    Takeover,
)
from holdfast.terminal.size import size_of
from holdfast.types import LABEL_LIMIT, ExitStatus, Size

FALLBACK_SIZE = (80, 24)
FALLBACK_TERM = "xterm-256color"  # the daemon's own model; "dumb" is what has no terminal at all
SIZE_VARIABLES = ("COLUMNS", "LINES")  # they would go stale at the first resize
END_TIMEOUT = 60.0  # seconds; the grace, which is a setting, and 10 s for the last output
POLICIES = ("never", "shell", "always")
LIVING = ("starting", "running", "terminating")


def run(values: Namespace) -> int:
    """Start a session, and stay on it unless told to detach."""
    request = create_request(values, os.environ)
    with door.client() as client:
        created = client.call(request)
        if values.takeover:
            client.call(Takeover(session=created.session.id))
        if values.detach:
            print(created.session.id)
            return OK
        return stay(client, created)


def create_request(values: Namespace, environ: Mapping[str, str]) -> Create:
    """Return the request that the command line describes; raise Usage."""
    cols, rows = _size(values.size)
    return Create(
        argv=[os.fsencode(word) for word in values.program] or [_shell(environ)],
        cwd=_directory(values.cwd),
        env=session_environment(environ, values.env or []),
        cols=cols,
        rows=rows,
        name=_label("--name", values.name),
        key=_label("--key", values.key),
        umask=_umask(),
        restore=_policy(values.restore),
        ephemeral=values.ephemeral,
    )


def session_environment(environ: Mapping[str, str], changes: list[str]) -> dict[bytes, bytes]:
    """Return the caller's environment as a program in a terminal of its own should find it."""
    chosen = {name: text for name, text in environ.items() if name not in SIZE_VARIABLES}
    if chosen.get("TERM", "") in ("", "dumb"):
        chosen["TERM"] = FALLBACK_TERM
    for change in changes:
        name, equals, text = change.partition("=")
        if not name or not equals:
            raise Usage(f"--env {change!r} sets nothing", "write it as NAME=VALUE")
        chosen[name] = text
    return {os.fsencode(name): os.fsencode(text) for name, text in chosen.items()}


def stay(client: Client, created: Created) -> int:
    """Show the session until its end or a detach; return the exit code."""
    # Only here: `ls` and `kill` should not pay for it.
    from holdfast.terminal.attach import Local, attach  # noqa: PLC0415
    from holdfast.terminal.rawmode import ToldToLeave  # noqa: PLC0415

    local = Local(
        sys.stdin.fileno(),
        sys.stdout.fileno(),
        can_answer=os.environ.get("TERM", "dumb") != "dumb",
    )
    session = created.session
    try:
        ended = attach(client, session, local, fresh=created.outcome == "created")
    except ToldToLeave as told:
        raise Exit(128 + told.number) from None
    except (KeyboardInterrupt, HoldfastError):
        note(way_back(session))
        raise
    if ended is None:
        note(f"[{way_back(session)}]")
        return OK
    return code_of_program(ended)


def way_back(session: SessionInfo) -> str:
    """Return how to find a session again."""
    return f"session {session.id} goes on: `hold output {session.id} --follow` shows it"


def code_of_program(ended: SessionInfo) -> int:
    """Return what a shell would have returned for the program."""
    code = ExitStatus(code=ended.exit_code, signal=ended.exit_signal).as_shell_code()
    if code is None:
        note(f"session {ended.id} has ended; nobody could learn how")
        return OWN_FAILURE
    return code


def kill(values: Namespace) -> int:
    """End the sessions that are meant, or all that live."""
    if bool(values.id) == values.all:
        what = "hold kill takes an ID or --all" if values.id else "hold kill needs a session"
        raise Usage(what, "write `hold kill ID`, or `hold kill --all`")
    with door.client() as client:
        if values.all:
            return _kill_all(client, values)
        killed: list[SessionInfo] = []

        def end(session: SessionInfo) -> None:
            client.call(Kill(session=session.id, now=values.now, takeover=values.takeover))
            killed.append(session)

        code = choosing.each(client, values.id, end, question="end", yes=values.yes)
        # All are told before one is waited for: their grace passes at the same time.
        for session in killed:
            end_of(client, session.id, END_TIMEOUT)
            if len(killed) > 1:
                print(render.named(session.id, session.name), "ended")
        return code


def _kill_all(client: Client, values: Namespace) -> int:
    living = [each for each in door.sessions(client) if each.state in LIVING]
    if len(living) > 1 and not values.yes:
        choosing.ask_about(living, "end")
    answer = client.call(KillAll(now=values.now, takeover=values.takeover))
    for session in answer.killed:
        if session.state in LIVING:
            end_of(client, session.id, END_TIMEOUT)
    if not answer.killed and not answer.spared:
        note("no session lives")
        return OK
    for session in answer.killed:
        print(render.named(session.id, session.name), "ended")
    for spared in answer.spared:
        note(f"{render.named(spared.session, spared.name)} not ended: {spared.what}")
    return code_of_codes([spared.code for spared in answer.spared])


# -- values


def _shell(environ: Mapping[str, str]) -> bytes:
    return os.fsencode(environ.get("SHELL") or "/bin/sh")


def _size(text: str | None) -> tuple[int, int]:
    if text is None:
        sizes = (size_of(fd) for fd in (1, 0, 2))
        return next((size for size in sizes if size is not None), FALLBACK_SIZE)
    try:
        size = Size.parse(text)
    except ValueError as error:
        raise Usage(
            f"--size {text!r} is no size: {error}", "write it as COLSxROWS: 120x40"
        ) from error
    return size.cols, size.rows


def _directory(text: str | None) -> bytes:
    if text is not None:
        return os.fsencode(os.path.abspath(text))  # noqa: PTH100 - bytes, and no link resolved
    try:
        return os.getcwdb()  # noqa: PTH109 - bytes: it need not be UTF-8
    except FileNotFoundError as error:
        where = os.environ.get("PWD", "the current directory")
        raise Usage(
            f"{where} is no longer there", "cd to another, or give one with --cwd"
        ) from error


def _policy(text: str | None) -> str:
    if text is None:
        return ""  # the daemon's setting
    if text not in POLICIES:
        raise Usage(f"--restore {text!r} is unknown", f"write one of {', '.join(POLICIES)}")
    return text


def _label(flag: str, text: str | None) -> str:
    if text is None:
        return ""
    if not text or len(text) > LABEL_LIMIT or not text.isprintable():
        what = f"{flag} {text[:40]!r} cannot be used"
        raise Usage(what, f"use 1 to {LABEL_LIMIT} printable characters")
    return text


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
