"""`hold signal`, `hold resize`, `hold rename`, `hold wait`."""

from argparse import Namespace

from holdfast.cli import choosing, door, render
from holdfast.cli.exits import OK, Usage, note
from holdfast.cli.sessions import code_of_program
from holdfast.cli.waiting import end_of
from holdfast.config.duration import parse_duration
from holdfast.protocol.messages import Claim, Rename, Resize, Role, SessionInfo, Signal
from holdfast.types import Size


def signal(values: Namespace) -> int:
    """Send a signal to the programs of sessions."""
    with door.client() as client:

        def send(session: SessionInfo) -> None:
            client.call(Signal(session=session.id, signal=values.signal, takeover=values.takeover))

        question = f"send {values.signal} to"
        return choosing.each(client, values.id, send, question=question, yes=values.yes)


def resize(values: Namespace) -> int:
    """Give the terminals of sessions another size."""
    try:
        size = Size.parse(values.size)
    except ValueError as error:
        what = f"{values.size!r} is no size: {error}"
        raise Usage(what, "write it as COLSxROWS: 120x40") from error
    with door.client() as client:
        for session in choosing.chosen(client, values.id):
            if not values.takeover:
                # Else it is only noted, for the day when nobody else owns the session.
                client.call(Claim(session=session.id))
            asked = Resize(
                session=session.id, cols=size.cols, rows=size.rows, takeover=values.takeover
            )
            client.call(asked)
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
