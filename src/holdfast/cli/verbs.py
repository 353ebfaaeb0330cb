"""`hold signal`, `hold rename`, `hold wait`."""

from argparse import Namespace

from holdfast.cli import door, render
from holdfast.cli.exits import OK, Usage, note
from holdfast.cli.sessions import code_of_program
from holdfast.cli.waiting import end_of
from holdfast.config.duration import parse_duration
from holdfast.protocol.messages import Rename, Role, Signal


def signal(values: Namespace) -> int:
    """Send a signal to a session's program."""
    with door.client() as client:
        session = door.session_named(client, values.id)
        client.call(Signal(session=session.id, signal=values.signal, takeover=values.takeover))
    return OK


def rename(values: Namespace) -> int:
    """Call a session by another name."""
    with door.client() as client:
        session = door.session_named(client, values.id)
        client.call(Rename(session=session.id, name=values.name, takeover=values.takeover))
    return OK


def wait(values: Namespace) -> int:
    """Wait for the end of a session; return the exit code of its program."""
    limit = duration("--timeout", values.timeout)
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id)
        ended = end_of(client, session.id, limit)
    if values.json:
        print(render.as_json(render.session_fields(ended)))
    else:
        note(render.post_mortem(ended))
    return code_of_program(ended)


def duration(flag: str, text: str | None) -> float | None:
    """Return the seconds a flag says, None for no limit; raise Usage."""
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Usage(f"{flag} {text!r} is no duration", str(error)) from error
