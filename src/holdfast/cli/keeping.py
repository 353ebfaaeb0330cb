"""`hold restore`, `hold clear`, `hold forget`, `hold du`: what is kept, and what is not."""

import sys
from argparse import Namespace

from holdfast.cli import door, render
from holdfast.cli.exits import FAILED, OK, Exit, Usage, note, one_line
from holdfast.errors import SessionTerminating
from holdfast.protocol.messages import (
    Clear,
    DiskUse,
    DiskUsed,
    Du,
    Erased,
    Forget,
    Restore,
    Role,
    SessionInfo,
)

UNASKED = ("dormant",)  # shells, which only wait for what is typed
LIVING = ("starting", "running")
HEADINGS = ("ID", "NAME", "STATE", "OUTPUT", "OTHER", "KEPT")
SEARCH_TIMEOUT = 600.0  # seconds; all that is kept is read once


def restore(values: Namespace) -> int:
    """Start the program of a session again."""
    with door.client() as client:
        session = door.session_named(client, values.id)
        if session.state in LIVING:
            note(f"session {session.id} lives; nothing was done")
            return OK
        if session.state == "terminating":
            raise SessionTerminating(session=session.id)
        if session.state not in UNASKED and not values.yes:
            print(_again(session), file=sys.stderr)
            _confirm("run it again?")
        restored = client.call(Restore(session=session.id, life=session.life))
    print(f"session {restored.id} runs again, pid {restored.pid}, life {restored.life}")
    return OK


def clear(values: Namespace) -> int:
    """Drop what a session printed before its last screenful."""
    with door.client() as client:
        session = door.session_named(client, values.id)
        erased = client.call(Clear(session=session.id, takeover=values.takeover))
    print(f"{render.size(erased.bytes)} dropped; offset {erased.start} is the first one kept")
    return OK


def forget(values: Namespace) -> int:
    """Destroy output, and say whether any of it is left."""
    since, until = values.since or 0, values.until
    if until is not None and until <= since:
        raise Usage(f"--until {until} is not after --since {since}", "an empty run holds nothing")
    with door.client() as client:
        session = door.session_named(client, values.id)
        if not values.yes:
            print(_what_is_forgotten(session, since, until), file=sys.stderr)
            _confirm("destroy it?")
        takeover = values.takeover
        request = Forget(session=session.id, since=since, until=until, takeover=takeover)
        erased = client.call(request, SEARCH_TIMEOUT)
    return _tell_erased(session, erased)


def du(values: Namespace) -> int:
    """Show what everything kept takes up."""
    with door.client(Role.STREAM) as client:
        used = client.call(Du())
    if values.json:
        print(render.as_json(used))
    else:
        print("\n".join(_lines(used)))
    return OK


def _again(session: SessionInfo) -> str:
    command = one_line(render.command_line(session.argv))
    return f"{command}\n  in {one_line(session.cwd)}, {session.recovery or session.state}"


def _what_is_forgotten(session: SessionInfo, since: int, until: int | None) -> str:
    name = session.name or session.id
    if since == 0 and until is None:
        if session.state in ("exited", "lost"):
            return f"everything about session {name}: its output and its record"
        return f"all that session {name} has printed; the program goes on"
    end = session.offset if until is None else until
    return f"bytes {since} to {end} of what session {name} printed"


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise Usage("nobody is there to be asked", "add --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        note("nothing was done")
        raise Exit(FAILED)


def _tell_erased(session: SessionInfo, erased: Erased) -> int:
    if erased.gone:
        print(f"session {session.id} is forgotten, {render.size(erased.bytes)} overwritten")
    else:
        print(f"{render.size(erased.bytes)} overwritten")
    for path in erased.found:
        note(f"the same bytes are also in {path}")
    return FAILED if erased.found else OK


def _lines(used: DiskUsed) -> list[str]:
    rows = [HEADINGS, *(_row(each) for each in used.sessions)]
    total = sum(each.log + each.other for each in used.sessions) + used.journal
    bounds = f"{render.size(used.per_session)} a session, {render.size(used.budget)} together"
    return [
        *render.table(rows, 0),
        f"{render.size(total)} in all, {render.size(used.journal)} of it the journal",
        f"kept up to: {bounds}; {render.size(used.free)} free on the disk",
    ]


def _row(each: DiskUse) -> tuple[str, ...]:
    holes = f", {len(each.missing)} holes" if each.missing else ""
    kept = f"{each.start} to {each.end}{holes}"
    sizes = render.size(each.log), render.size(each.other)
    return each.session, one_line(each.name), each.state, *sizes, kept
