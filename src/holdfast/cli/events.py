"""`hold events`: what happened to sessions, in words or for scripts."""

import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping

from holdfast.cli import door, render
from holdfast.cli.exits import OK, note, one_line
from holdfast.protocol.messages import Event, Role

REMARKABLE = ("taken over", "did not come back")
CLOCK = "%Y-%m-%d %H:%M:%S"


def events(values: Namespace) -> int:
    """Print events: those that are kept, or those that come as well."""
    since = values.since if values.since is not None or values.follow else 0
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id).id if values.id else ""
        names = Names({each.id: each.name for each in door.sessions(client, ended=True)})
        told = client.events(since, session)
        told.begin()
        if told.missed and since is not None:
            note(f"events before number {told.oldest} are no longer kept")
        if values.follow:
            client.start_nothing()
        for event in told if values.follow else told.kept():
            if not values.json and is_routine(event):
                continue
            print(json_line(event) if values.json else human_line(event, names))
            if values.follow:
                sys.stdout.flush()
    return OK


class Names:
    """What sessions are called, as far as is known."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)

    def of(self, event: Event) -> str:
        """Return what the session of an event is called after it."""
        if event.kind in ("created", "renamed"):
            self._known.setdefault(event.session, str(event.facts.get("name") or ""))
            if event.kind == "renamed":
                self._known[event.session] = str(event.facts.get("name") or "")
        name = self._known.get(event.session)
        return f"{name} ({event.session})" if name else event.session


def json_line(event: Event) -> str:
    """Return every field, also those that have their default, in one line."""
    import msgspec  # noqa: PLC0415 - only for scripts

    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return msgspec.json.encode(fields).decode()


def human_line(event: Event, names: Names) -> str:
    """Return when what happened to whom."""
    clock = time.strftime(CLOCK, time.localtime(event.time))
    return one_line(f"{clock}  {names.of(event)}  {words(event)}")


def is_routine(event: Event) -> bool:
    """Whether people need not read it: each `hold send` owns a session for a moment."""
    return event.kind == "owner_changed" and event.facts.get("reason") not in REMARKABLE


def words(event: Event) -> str:
    """Return what happened, in words; what is not known here in its own."""
    say = WORDS.get(event.kind)
    if say is not None:
        return say(event.facts)
    facts = [f"{name}={fact}" for name, fact in event.facts.items()]
    return " ".join([event.kind.replace("_", " "), *facts])


Facts = Mapping[str, object]


def _exited(facts: Facts) -> str:
    number = facts.get("signal")
    if isinstance(number, int):
        return f"ended by {_signal_name(number)}"
    code = facts.get("code")
    return "ended, nobody could learn how" if code is None else f"ended with code {code}"


def _forgotten(facts: Facts) -> str:
    if facts.get("gone"):
        return "forgotten with all it had printed"
    return f"{_size(facts)} forgotten, from offset {facts.get('offset')} on"


def _size(facts: Facts) -> str:
    count = facts.get("bytes")
    return render.size(count) if isinstance(count, int) else "some output"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _owned(facts: Facts) -> str:
    who = facts.get("owner") or "nobody"
    note = f": {facts['note']}" if facts.get("note") else ""
    return f"owned by {who}, before by {facts.get('previous')} ({facts.get('reason')}{note})"


WORDS: dict[str, Callable[[Facts], str]] = {
    "owner_changed": _owned,
    "created": lambda _facts: "started",
    "restored": lambda facts: f"started again, life {facts.get('life')}",
    "exit": _exited,
    "lost": lambda facts: str(facts.get("recovery") or "lost"),
    "dormant": lambda _facts: "waits to be restored",
    "cleared": lambda facts: f"cleared up to offset {facts.get('offset')}",
    "forgotten": _forgotten,
    "resized": lambda facts: f"resized to {facts.get('cols')}x{facts.get('rows')}",
    "renamed": lambda facts: f"is called {facts.get('name') or 'by its id'} now",
}
