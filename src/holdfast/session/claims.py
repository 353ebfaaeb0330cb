"""What is said about the ownership of a session: who asks, what was decided, what changed."""

import enum
from typing import NamedTuple

from msgspec import Struct

from holdfast.errors import OwnerRequired
from holdfast.types import Size


class Client(NamedTuple):
    """A control client on one of its connections; later ones have higher numbers."""

    client_id: str
    label: str
    connection: int

    @property
    def owner(self) -> "Owner":
        """What others see of it once it owns a session."""
        return Owner(self.client_id, self.label)


class Owner(Struct, frozen=True):
    """Who owns a session, whatever the connection."""

    client_id: str
    label: str

    @property
    def shown(self) -> str:
        return self.label or self.client_id


class Reason(enum.Enum):
    """Why a session has another owner."""

    CREATED = "created"
    CLAIMED = "claimed"
    CHANGED = "first to change it"
    TAKEN_OVER = "taken over"
    RELEASED = "released"
    GOODBYE = "goodbye"
    EXPIRED = "did not come back"
    ENDED = "session ended"


class OwnerChanged(NamedTuple):
    """To be published, and written down as who did what when."""

    session: str
    owner: Owner | None
    previous: Owner | None
    reason: Reason
    note: str = ""
    """What the client that took over said about it."""


class Lost(NamedTuple):
    """The connection to be told that it observes from now on, and why."""

    connection: int
    reason: str


class Decision(Struct, frozen=True, kw_only=True):
    """What was decided; the change is made already, this is what to do about it."""

    refusal: OwnerRequired | None = None
    events: tuple[OwnerChanged, ...] = ()
    lost: Lost | None = None
    size: Size | None = None
    """The terminal of a new owner: the session's is to become as large."""

    @property
    def granted(self) -> bool:
        return self.refusal is None
