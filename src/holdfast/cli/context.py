"""`hold commands` and `hold context`: what ran in sessions, as a table and as text."""

from argparse import Namespace
from collections.abc import Iterator

from holdfast.cli import door, paging, render
from holdfast.cli.exits import OK, Usage, note, one_line
from holdfast.client.plain import Client
from holdfast.protocol.messages import CommandRecord, Commands, GetContext, Role

HEADINGS = ("SESSION", "WHEN", "EXIT", "TOOK", "CWD", "COMMAND")
CLOCK = "%Y-%m-%d %H:%M:%S"


def commands(values: Namespace) -> int:
    """List the commands that are known of one session, or of all that run."""
    with door.client(Role.STREAM) as client:
        found = list(_found(client, values.id))
    if values.json:
        print(render.as_json([_fields(session, record) for session, record in found]))
    elif found:
        rows = [HEADINGS, *(_row(session, record) for session, record in found)]
        paging.show("\n".join(render.table(rows, render.print_width(1))))
    else:
        note("no commands are known; a session in `hold wrap` reports its own")
    return OK


def context(values: Namespace) -> int:
    """Print recent commands as text."""
    asked = GetContext()
    last = asked.last if values.last is None else values.last
    budget = asked.budget if values.budget is None else values.budget
    if last < 1 or budget < 1:
        raise Usage("--last and --budget begin at 1", "leave them out for 10 and 16000")
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id).id if values.id else ""
        told = client.call(GetContext(session=session, last=last, budget=budget))
    if values.json:
        print(render.as_json({name: getattr(told, name) for name in told.__struct_fields__}))
    elif told.text:
        paging.show(told.text)
    else:
        note("no commands are known; a session in `hold wrap` reports its own")
    return OK


def _found(client: Client, wanted: str | None) -> Iterator[tuple[str, CommandRecord]]:
    if wanted:
        sessions = [door.session_named(client, wanted).id]
    else:
        sessions = [session.id for session in door.sessions(client)]
    for session in sessions:
        listed = client.call(Commands(session=session))
        if listed.omitted:
            note(f"session {session}: {listed.omitted} older ones are left out")
        yield from ((session, record) for record in listed.records)


def _fields(session: str, record: CommandRecord) -> dict[str, object]:
    """Return every field, also those that have their default: scripts rely on them."""
    return {"session": session} | {name: getattr(record, name) for name in record.__struct_fields__}


def _row(session: str, record: CommandRecord) -> tuple[str, ...]:
    is_over = record.ended is not None and record.started
    took = (record.ended or 0.0) - record.started
    return (
        session,
        render.moment(record.started, CLOCK) if record.started else "-",
        "-" if record.exit_code is None else str(record.exit_code),
        f"{max(0.0, took):.1f} s" if is_over else "-",
        one_line(record.cwd) or "-",
        one_line(record.line),
    )
