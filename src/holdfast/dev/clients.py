"""The pages that are open, and what each of them is told. Knows no sockets and no files."""

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass

from holdfast.dev.changes import Change, History

WAITING = 64  # messages; a page that reads so slowly is sent away, comes back and catches up
LABEL_LIMIT = 300  # characters of what a page says went wrong


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What stands on the pages until it is over."""

    title: str
    text: str
    can_restart: bool = False


class Client:
    """One page with its socket."""

    def __init__(self) -> None:
        self.outbox: asyncio.Queue[str | None] = asyncio.Queue(WAITING)
        """What it is to be told; None is the end."""

    def tell(self, kind: str, **facts: object) -> None:
        """Have it told something; too many at once end it."""
        try:
            self.outbox.put_nowait(json.dumps({"kind": kind, **facts}))
        except asyncio.QueueFull:
            self.outbox.get_nowait()
            self.outbox.put_nowait(None)


class Clients:
    """All pages, and the token by which they know that they belong to this start."""

    def __init__(self, history: History, on_restart: Callable[[], None]) -> None:
        self.token = secrets.token_urlsafe(24)
        self._history = history
        self._on_restart = on_restart
        self._open: set[Client] = set()
        self._problem: Problem | None = None
        self.on_trouble: Callable[[str], None] = lambda _: None
        """Is told what goes wrong in pages, in a line."""

    def __len__(self) -> int:
        return len(self._open)

    def may_enter(self, token: object) -> bool:
        """Return whether that is the token of this start."""
        return isinstance(token, str) and secrets.compare_digest(
            token.encode(errors="replace"), self.token.encode()
        )

    def enter(self, client: Client, state: object) -> None:
        """A page of *state* is there: what it missed comes first."""
        self._open.add(client)
        client.tell("hello", state=self._history.state)
        missed = self._history.since(state if isinstance(state, int) else -1)
        if missed is not None:
            self._tell_change(client, missed)
        if self._problem is not None:
            client.tell("problem", **asdict(self._problem))

    def leave(self, client: Client) -> None:
        """The page has gone; a second time does no harm."""
        self._open.discard(client)

    def heard(self, said: dict[str, object]) -> None:
        """A page has said something."""
        if said.get("kind") == "restart":
            self._on_restart()
        elif said.get("kind") == "trouble" and isinstance(said.get("text"), str):
            self.on_trouble(str(said["text"])[:LABEL_LIMIT])

    def tell_change(self, change: Change) -> None:
        """Have every page show the next state."""
        for client in self._open:
            self._tell_change(client, change)

    def set_problem(self, problem: Problem | None) -> None:
        """Have every page show a problem, or nothing any more."""
        self._problem = problem
        for client in self._open:
            if problem is None:
                client.tell("fine")
            else:
                client.tell("problem", **asdict(problem))

    def _tell_change(self, client: Client, change: Change) -> None:
        client.tell("changed", state=change.state, reloads=change.reloads, paths=list(change.paths))
