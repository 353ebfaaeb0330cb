"""`hold restore`, `hold clear`, `hold forget`, `hold du`: what is kept, and what is not."""

import sys
from argparse import Namespace
from pathlib import Path

from holdfast.cli import choosing, door, paging, render
from holdfast.cli.exits import FAILED, OK, Usage, note, one_line
from holdfast.cli.progress import Progress
from holdfast.client.plain import Client
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
LITTLE = 32  # bytes; so few may be found anywhere by chance
SEARCH_TIMEOUT = 600.0  # seconds; all that is kept is read once


def restore(values: Namespace) -> int:
    """Start the programs of sessions again."""
    with door.client() as client:
        sessions = choosing.chosen(client, values.id, ended=True)
        asked = [each for each in sessions if each.state not in (*UNASKED, *LIVING)]
        if asked and not values.yes:
            if len(sessions) > 1:
                choosing.ask_about(asked, "run again")
            else:
                print(_again(sessions[0]), file=sys.stderr)
                choosing.confirm("run it again?")
        with Progress("restoring", len(sessions)) as progress:
            for session in sessions:
                _restore(client, session)
                progress.done += 1
    return OK


def _restore(client: Client, session: SessionInfo) -> None:
    if session.state in LIVING:
        note(f"session {session.id} lives; nothing was done")
        return
    if session.state == "terminating":
        raise SessionTerminating(session=session.id)
    restored = client.call(Restore(session=session.id, life=session.life))
    print(f"session {restored.id} runs again, pid {restored.pid}, life {restored.life}")


def clear(values: Namespace) -> int:
    """Drop what sessions printed before their last screenful."""
    with door.client() as client:

        def drop(session: SessionInfo) -> None:
            erased = client.call(Clear(session=session.id, takeover=values.takeover))
            name = "" if len(values.id) == 1 else f"{render.named(session.id, session.name)}: "
            start = erased.start
            print(f"{name}{render.size(erased.bytes)} dropped; offset {start} is the first kept")

        return choosing.each(client, values.id, drop, question="clear", yes=values.yes, ended=True)


def forget(values: Namespace) -> int:
    """Destroy output, and say whether any of it is left."""
    since, until = values.since or 0, values.until
    if until is not None and until <= since:
        raise Usage(f"--until {until} is not after --since {since}", "an empty run holds nothing")
    found: list[str] = []
    is_little = False
    with door.client() as client:
        sessions = choosing.chosen(client, values.id, ended=True)
        if not values.yes:
            if len(sessions) > 1:
                choosing.ask_about(sessions, "destroy all that is kept of")
            else:
                print(_what_is_forgotten(sessions[0], since, until), file=sys.stderr)
                choosing.confirm("destroy it?")
        total = len(sessions) if len(sessions) > 1 else 0
        with Progress("overwriting", total) as progress:
            for session in sessions:
                request = Forget(
                    session=session.id, since=since, until=until, takeover=values.takeover
                )
                erased = client.call(request, SEARCH_TIMEOUT)
                _tell_erased(session, erased)
                found += erased.found
                is_little = is_little or 0 < erased.bytes < LITTLE
                progress.done += 1
    # What was found in one that has been forgotten since is gone as well.
    left = [path for path in dict.fromkeys(found) if Path(path).exists()]
    for path in left:
        note(f"the same bytes are also in {path}")
    if left and is_little:
        note("so few are found by chance, too; `hold output` shows whether they are yours")
    return FAILED if left else OK


def du(values: Namespace) -> int:
    """Show what everything kept takes up."""
    with door.client(Role.STREAM) as client:
        used = client.call(Du())
    if values.json:
        print(render.as_json(used))
    else:
        paging.show("\n".join(_lines(used)))
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


def _tell_erased(session: SessionInfo, erased: Erased) -> None:
    if erased.gone:
        print(f"session {session.id} is forgotten, {render.size(erased.bytes)} overwritten")
    else:
        print(f"{render.size(erased.bytes)} overwritten")


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
