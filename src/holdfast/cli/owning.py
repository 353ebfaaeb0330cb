"""`hold claim`, `hold takeover`, `hold release`: who may change a session."""

from argparse import Namespace
from collections.abc import Callable

from holdfast.cli import choosing, door, render
from holdfast.cli.exits import OK, note, one_line
from holdfast.client.plain import Client
from holdfast.client.sync_events import Events
from holdfast.protocol.messages import Claim, Get, Release, SessionInfo, Takeover

LIVING = ("starting", "running", "terminating")
ENDED, NOT_OWNER = 5, 6


def claim(values: Namespace) -> int:
    """Own a session that nobody owns, for as long as this command runs."""
    return _own(values.id, lambda session: Claim(session=session))


def takeover(values: Namespace) -> int:
    """Own a session, whoever does, for as long as this command runs."""
    reason = values.reason or ""
    return _own(values.id, lambda session: Takeover(session=session, reason=reason))


def release(values: Namespace) -> int:
    """Leave sessions to whoever claims them next."""
    with door.client() as client:

        def free(session: SessionInfo) -> None:
            if session.owner is None:
                note(f"nobody owns session {session.id}")
                return
            take = Takeover if values.takeover else Claim
            client.call(take(session=session.id))
            client.call(Release(session=session.id))

        return choosing.each(client, values.id, free, question="release", yes=values.yes)


def _own(wanted: str, request: Callable[[str], Claim | Takeover]) -> int:
    from holdfast.terminal.rawmode import ToldToLeave, leaving_signals  # noqa: PLC0415

    with door.client() as client:
        session = door.session_named(client, wanted)
        told = client.events(None, session.id)
        told.begin()
        try:
            # Its end must say goodbye, or the session waits half a minute for us to come back.
            with leaving_signals():
                client.call(request(session.id))
                note(f"session {render.named(session.id, session.name)} is yours until Ctrl-C")
                return _until_lost(client, session.id, told)
        except KeyboardInterrupt:
            return OK
        except ToldToLeave as left:
            return 128 + left.number


def _until_lost(client: Client, session: str, told: Events) -> int:
    client.start_nothing()
    for _ in told:
        found = client.call(Get(session=session))
        if found.state not in LIVING:
            note(render.post_mortem(found))
            return ENDED
        if not found.owned:
            note(f"session {session} now belongs to {one_line(found.owner or 'nobody')}")
            return NOT_OWNER
    return OK
