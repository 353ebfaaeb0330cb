"""What `--json` prints, command by command: a contract, from which the schemas are made.

Fields are only ever added. What a daemon sends is printed with every field; the rest is here.
"""

from typing import Any

from msgspec import Struct

from holdfast.protocol import messages as m


class Kept(Struct, frozen=True):
    """What is kept of a session's output."""

    log: int
    other: int
    start: int
    end: int
    missing: list[tuple[int, int, str]]


class Shown(Struct, frozen=True):
    """Everything about one session."""

    session: m.SessionInfo
    kept: Kept
    commands: list[m.CommandRecord]


class SettingShown(Struct, frozen=True):
    """One setting: its value, and where that was said."""

    key: str
    value: str | float | int | None
    text: str
    unit: str
    source: str
    variable: str
    meaning: str


class CommandShown(m.CommandRecord, frozen=True):
    """A command, and the session it ran in."""

    session: str = ""


class ScreenShown(Struct, frozen=True):
    """A screen; `data` is its text, or for the form json an object."""

    session: str
    offset: int
    end: int
    form: str
    data: str | dict[str, Any]
    cols: int
    rows: int
    lines: int
    fidelity: str
    title: str
    cursor: tuple[int, int] | None


class Status(Struct, frozen=True):
    """Keeper and daemon, as the keeper sees them; with `stats` when the daemon answers."""

    ok: bool
    daemon: dict[str, Any] | None
    version: int = 0
    """Of what keepers say."""
    reason: str = ""
    keeper: dict[str, Any] = {}
    reader: dict[str, Any] = {}
    restarts: int = 0
    pump: str | None = None
    pump_reason: str | None = None
    sessions: int = 0
    stats: m.Stats | None = None


class FindingShown(Struct, frozen=True):
    """What one check has found: `level` is ok, warning or broken, `fix` what to do about it."""

    check: str
    asks: str
    level: str
    what: str
    fix: str


class Examined(Struct, frozen=True):
    """What `hold doctor` has found; `ok` is whether nothing is broken."""

    ok: bool
    findings: list[FindingShown]


SHAPES: dict[str, Any] = {
    "ls": list[m.SessionInfo],
    "show": Shown,
    "screen": ScreenShown,
    "events": m.Event,
    "commands": list[CommandShown],
    "context": m.Context,
    "wait": m.SessionInfo,
    "du": m.DiskUsed,
    "stats": m.Stats,
    "config show": list[SettingShown],
    "daemon status": Status,
    "doctor": Examined,
}
LINES = {"events"}
"""What prints one object a line."""
