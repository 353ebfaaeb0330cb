"""The sessions a tab shows, and what has changed about them. No daemon, no socket."""

from collections.abc import Iterable
from typing import NamedTuple

from holdfast.host.calls import Payload, session_payload
from holdfast.protocol.messages import SessionInfo

ENDED = 50  # sessions that are over and are still shown, the newest; `hold ls --all` has the rest
OVER = ("exited", "lost")


class Change(NamedTuple):
    """An event for the page; the newest of each *key* is what holds."""

    event: str
    key: str
    payload: Payload


class Listing:
    """What the page knows of sessions."""

    def __init__(self, chosen: str = "") -> None:
        self._chosen = chosen
        self._sessions: dict[str, Payload] = {}  # oldest first
        self._shown: Payload | None = None  # the layout

    def __contains__(self, session: str) -> bool:
        return session in self._sessions

    def replace(self, infos: Iterable[SessionInfo]) -> list[Change]:
        """Everything was listed anew; return what the page does not know yet."""
        shown = _newest(list(infos), self._chosen)
        gone = set(self._sessions) - {info.id for info in shown}
        changes = [change for id_ in gone for change in self._without(id_)]
        changes += [change for info in shown for change in self._with(info)]
        # The layout comes first: it says what the page has room to show.
        return [*self._layout(), *changes]

    def update(self, info: SessionInfo) -> list[Change]:
        """One session has changed, or is new."""
        changes = self._with(info)
        over = [id_ for id_, each in self._sessions.items() if each["state"] in OVER]
        spare = [id_ for id_ in over if id_ != self._chosen]
        gone = spare[: max(0, len(spare) - ENDED)]
        changes += [change for id_ in gone for change in self._without(id_)]
        return [*self._layout(), *changes]

    def remove(self, session: str) -> list[Change]:
        """A session is forgotten."""
        changes = self._without(session)
        return [*changes, *self._layout()]

    def choose(self, session: str) -> None:
        """This one is to be shown first."""
        self._chosen = session

    def _with(self, info: SessionInfo) -> list[Change]:
        payload = session_payload(info)
        if self._sessions.get(info.id) == payload:
            return []
        self._sessions[info.id] = payload
        return [Change("session", info.id, payload)]

    def _without(self, session: str) -> list[Change]:
        if self._sessions.pop(session, None) is None:
            return []
        return [Change("gone", session, {"id": session})]

    def _layout(self) -> list[Change]:
        living = [id_ for id_, each in self._sessions.items() if each["state"] not in OVER]
        chosen = self._chosen if self._chosen in self._sessions else next(reversed(living), "")
        shown: Payload = {"sessions": [*self._sessions], "chosen": chosen} if chosen else {}
        if shown == self._shown:
            return []
        self._shown = shown
        return [Change("layout" if shown else "welcome", "", shown)]


def _newest(infos: list[SessionInfo], chosen: str) -> list[SessionInfo]:
    over = [info for info in infos if info.state in OVER and info.id != chosen]
    dropped = {info.id for info in over[: max(0, len(over) - ENDED)]}
    return [info for info in infos if info.id not in dropped]
