"""What is known of a session, and what is held of it while it lives."""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from holdfast.protocol.messages import SessionInfo
from holdfast.session.lifecycle import State
from holdfast.session.recovery import Policy
from holdfast.types import ExitStatus, Size

LISTED_CHARACTERS = 1000  # of a program line: 512 sessions like that fit into one reply


@dataclass(slots=True)
class Held:
    """The descriptors and facts of a living program, as the keeper handed them over."""

    pid: int
    master: int
    out: int
    inp: int
    pidfd: int
    started: float

    def close(self) -> None:
        for fd in (self.master, self.out, self.inp, self.pidfd):
            if fd >= 0:
                os.close(fd)


@dataclass(slots=True)  # more than 30 attributes in a dictionary take 1.3 KB a session
class Record:
    """What is known of a session while it lives and after; the table keeps it."""

    id: str
    argv: list[str]
    cwd: str
    size: Size
    created: float
    name: str = ""
    key: str = ""
    creation: str = ""
    state: State = State.STARTING
    recovery: str | None = None
    pid: int | None = None
    offset: int = 0
    last_attached: float | None = None
    ended: float | None = None
    exit: ExitStatus = field(default_factory=ExitStatus)
    maxrss_kib: int | None = None
    killed: bool = False
    """Whether its end was asked for."""
    killed_by: str = ""
    """The label of who asked for it."""
    signals: list[str] = field(default_factory=list)
    """Tokens of the signals that were sent last; see `verbs`."""
    signalled: tuple[int, str] = (0, "")
    """The last signal, and who sent it."""
    restore: str = Policy.SHELL.value
    ephemeral: bool = False
    env: dict[str, Any] = field(default_factory=dict)
    """What differs from the keeper's environment; see `session.environment`."""
    umask: int = 0o022
    last_cwd: str = ""
    """Where the program was when it last printed something."""
    owner: dict[str, str] = field(default_factory=dict)
    """Who owns it; see `session.ownership`."""
    life: int = 1
    began: float = 0.0
    """When this life was started."""
    active_ns: int = 0
    """When it last printed something or was typed into, by the clock; an integer, because it
    is noted at each slice and seldom read."""
    title: str = ""
    """What the program calls its window."""
    short_lives: int = 0
    """Restored lives in a row that have not proven themselves, this one included."""
    mirrored: bool = False
    """Whether its terminal lives in a client; see `mirrors`."""
    attributes: dict[str, str] = field(default_factory=dict)
    """What that client says of it."""
    profile: dict[str, Any] = field(default_factory=dict)
    """The terminal of its last owner that had one; see `protocol.messages.Profile`."""

    def to_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in PLAIN}
        return plain | {
            "cols": self.size.cols,
            "rows": self.size.rows,
            "state": self.state.value,
            "exit_code": self.exit.code,
            "exit_signal": self.exit.signal,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Record":
        return cls(
            **{name: data[name] for name in PLAIN if name in data},
            size=Size(data["cols"], data["rows"]),
            state=State(data["state"]),
            exit=ExitStatus(code=data.get("exit_code"), signal=data.get("exit_signal")),
        )

    def blob(self) -> str:
        """What the keeper keeps for us, so that nothing depends on what the table has.

        Without what is empty, which is two thirds of it: a daemon that takes 200 sessions over
        reads them all before it answers anybody.
        """
        told = {n: v for n, v in self.to_json().items() if n not in EMPTY or v != EMPTY[n]}
        return json.dumps(told)

    @classmethod
    def from_blob(cls, blob: str) -> "Record | None":
        """What the keeper kept, if this version can read it."""
        try:
            return cls.from_json(json.loads(blob))
        except (KeyError, TypeError, ValueError):
            return None

    def info(self, stalled: str | None = None, client_id: str = "") -> SessionInfo:
        """Return what a client hears of the session; *client_id* is who asks."""
        owner = self.owner.get("client_id")
        active = max(self.active_ns / 1e9, self.began, self.created)
        return SessionInfo(
            id=self.id,
            name=self.name,
            key=self.key,
            state=self.state.value,
            recovery=self.recovery,
            pid=self.pid,
            argv=[shown(word) for word in self.argv],
            cwd=shown(self.last_cwd or self.cwd),
            cols=self.size.cols,
            rows=self.size.rows,
            offset=self.offset,
            created=self.created,
            last_attached=self.last_attached,
            ended=self.ended,
            exit_code=self.exit.code,
            exit_signal=self.exit.signal,
            stalled=stalled,
            life=self.life,
            restore=self.restore,
            ephemeral=self.ephemeral,
            owner=self.owner.get("label") or owner,
            owned=owner is not None and owner == client_id,
            duration=None if self.ended is None else max(0.0, self.ended - self.began),
            maxrss_kib=self.maxrss_kib,
            killed_by=self.killed_by,
            last_activity=active or None,
            mirrored=self.mirrored,
            attributes=self.attributes,
            title=self.title,
        )


def shown(text: str) -> str:
    """Return text for people: what is not UTF-8 in it is escaped."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def brief(info: SessionInfo) -> SessionInfo:
    """Return a session for a list: a program line of 2 MB would not fit into a reply twice."""
    if sum(len(word) + 1 for word in info.argv) <= LISTED_CHARACTERS:
        return info
    left, argv = LISTED_CHARACTERS, []
    for word in info.argv:
        argv.append(word[:left])
        left -= len(word) + 1
        if left <= 0:
            break
    return replace(info, argv=[*argv, "..."])


PLAIN = tuple(n for n in Record.__dataclass_fields__ if n not in ("size", "state", "exit"))
"""Names of the values that are in JSON what they are here."""

_NOTHING = Record(id="", argv=[], cwd="", size=Size(80, 24), created=0.0).to_json()
_REQUIRED = ("id", "argv", "cwd", "created")
EMPTY = {n: v for n, v in _NOTHING.items() if not v and n not in _REQUIRED}
"""Values that are nothing until there is something to say. They are read as that for ever."""
