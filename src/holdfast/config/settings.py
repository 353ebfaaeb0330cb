"""Every setting: its type, default, unit and reason. The reference is made from this."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from holdfast.config.duration import parse_duration

SIZE_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([a-z]*)")
COUNT_LIMIT = 1_000_000


def parse_count(text: str) -> int:
    """Return a whole number above 0; raise ValueError."""
    if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or not 0 < int(text) <= COUNT_LIMIT:
        raise ValueError(f"write a whole number from 1 to {COUNT_LIMIT}")
    return int(text)


def parse_bytes(text: str) -> int:
    """Return a number of bytes written like `256 MiB`; raise ValueError."""
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None or match[2] not in SIZE_UNITS:
        raise ValueError("write a number with KiB, MiB, GiB or TiB, for example 256 MiB")
    return int(float(match[1]) * SIZE_UNITS[match[2]])


def one_of(*words: str) -> Callable[[str], str]:
    """Return a parser that takes one of *words*."""

    def parse(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError(f"write one of {', '.join(words)}")
        return text.strip().lower()

    return parse


def parse_key(text: str) -> str:
    """Return a key written like `ctrl-]`; raise ValueError."""
    word = text.strip().lower().replace("^", "ctrl-", 1) if len(text.strip()) == 2 else text
    word = word.strip().lower()
    letter = word.removeprefix("ctrl-")
    # Escape, Tab, Enter and what sends a line have other uses in every program.
    if word == letter or letter not in set("abcdefghklnopqrstuvwxyz\\]^_"):
        raise ValueError("write it as ctrl- and a letter or one of \\ ] ^ _, for example ctrl-]")
    return word


class Setting(NamedTuple):
    """One row of the reference: where a value comes from and what it means."""

    key: str
    parse: Callable[[str], Any]
    unit: str
    meaning: str
    reason: str
    default: Any = None

    @property
    def variable(self) -> str:
        return "HOLDFAST_" + self.key.upper().replace(".", "_")

    @property
    def flag(self) -> str:
        return "--" + self.key.replace(".", "-").replace("_", "-")


def _setting(default: object, setting: Setting) -> Any:  # a field of whatever type it declares
    return field(default=default, metadata={"setting": setting._replace(default=default)})


def duration(default: float | None, key: str, meaning: str, reason: str) -> Any:
    return _setting(default, Setting(key, parse_duration, "duration", meaning, reason))


def count(default: int, key: str, meaning: str, reason: str) -> Any:
    return _setting(default, Setting(key, parse_count, "number", meaning, reason))


def size(default: int | None, key: str, meaning: str, reason: str) -> Any:
    return _setting(default, Setting(key, parse_bytes, "size", meaning, reason))


def choice(words: tuple[str, ...], key: str, meaning: str, reason: str) -> Any:
    return _setting(words[0], Setting(key, one_of(*words), "word", meaning, reason))


def key(default: str, name: str, meaning: str, reason: str) -> Any:
    return _setting(default, Setting(name, parse_key, "key", meaning, reason))


@dataclass(frozen=True, kw_only=True)
class Config:
    """What can be set, with the values that hold when nothing is."""

    session_limit: int = count(
        512,
        "session.limit",
        "live sessions at a time",
        "each costs six file descriptors and a program; a runaway script should stop here",
    )
    keep: int = size(
        256 << 20,
        "session.keep",
        "how much of its newest output each session keeps",
        "one second of a flood is 64 MiB; a day of a busy shell is less than this",
    )
    keep_for: float | None = duration(
        None,
        "session.keep_for",
        "how long output is kept; never means as long as there is room",
        "people come back to a build after weeks, and the budget bounds the rest",
    )
    budget: int | None = size(
        None,
        "session.budget",
        "how much all sessions keep together; unset it is 8 GiB or a tenth of the free disk",
        "a tool nobody thinks of must not be what fills the disk",
    )
    sync: float | None = duration(
        None,
        "session.sync",
        "how soon output is on the disk for sure; never leaves that to the system, half a minute",
        "only a power cut can cost it, and waiting for the disk wears it out",
    )
    restore: str = choice(
        ("shell", "always", "never"),
        "session.restore",
        "which programs start again after a reboot: shells, all, none",
        "a shell only waits; anything else might deploy, delete or pay a second time",
    )
    mirror_grace: float | None = duration(
        3600.0,
        "session.mirror_grace",
        "how long a mirrored session waits for a client that has vanished; never gives it up",
        "a laptop is closed for lunch; after an hour its shell is most likely gone",
    )
    kill_grace: float | None = duration(
        5.0,
        "session.kill_grace",
        "time between TERM and KILL when a session is ended; off kills at once",
        "editors and databases need seconds to save; people do not wait longer",
    )
    wrap_memory: int = size(
        16 << 20,
        "wrap.memory",
        "how much output `hold wrap` holds in memory while no daemon takes it",
        "hours of ordinary work; nothing is written to a disk for a daemon that restarts",
    )
    wrap_spool: int = size(
        256 << 20,
        "wrap.spool",
        "how much more of it goes into a file; what is older than both is lost, and said to be",
        "as much as a session keeps: the daemon would throw older output away as well",
    )
    connection_limit: int = count(
        256,
        "daemon.connections",
        "connections of clients at a time",
        "each may hold an unfinished message of 4 MiB; more than any desk has windows",
    )
    idle: float | None = duration(
        1800.0,
        "daemon.idle",
        "how long keeper and daemon stay with no session and no client; never keeps them",
        "a start takes a fifth of a second, and what nobody uses should not run for ever",
    )
    attach_key: str = key(
        "ctrl-\\",
        "attach.key",
        "the key that leaves a session when it is pressed twice",
        "hardly any program wants it twice, and on its own it still goes through",
    )
    detach_within: float | None = duration(
        0.4,
        "attach.detach_within",
        "how soon the second press must follow; off leaves the key to the program alone",
        "two deliberate presses take 100 to 250 ms, and a lone one waits no longer than this",
    )
    host_idle_timeout: float | None = duration(
        600.0,
        "host.idle_timeout",
        "how long `hold host` stays when no page is open, or none is used; never keeps it",
        "a page comes back by itself when the host does, and what nobody uses should not listen",
    )
    pump: str = choice(
        ("splice", "copy"),
        "session.pump",
        "how output gets from a terminal into its log: splice or copy",
        "splice loses nothing when the daemon is killed; where a system lacks it, copy is used",
    )
    reader: str = choice(
        ("on", "off"),
        "reader.enabled",
        "whether a process reads what programs print, so that viewers see a screen at once",
        "it costs some memory; without it viewers get the last of the output as it was printed",
    )
    reader_memory: int = size(
        256 << 20,
        "reader.memory",
        "how much memory the screens of all sessions may take",
        "a screen with 10,000 lines takes 10 MB, 2 when it rests; what rests longest goes to disk",
    )


def settings() -> dict[str, Setting]:
    """Return every setting under the name of its field."""
    return {entry.name: entry.metadata["setting"] for entry in fields(Config)}
