"""What the journal keeps of a program's environment, and how it is put together again.

Only what differs from the keeper's own, which a restored program gets anyway, and nothing
whose name looks like a secret: the journal is a file that gets into backups.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_SECRET = re.compile(
    r"TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH|COOKIE|PRIVATE|SIGNATURE|CERT|BEARER|_PAT$|DSN|_URL$|_URI$",
    re.IGNORECASE,
)
# What a session of Holdfast gets anew, and what belongs to a terminal that is no more.
_OURS = frozenset(
    {"HOLDFAST_SESSION_ID", "COLUMNS", "LINES", "WINDOWID", "OLDPWD", "PWD", "SHLVL", "_"}
)


class Kept(NamedTuple):
    """An environment as the difference from another one."""

    changed: dict[str, str]
    removed: list[str]

    def to_json(self) -> dict[str, Any]:
        return {"changed": self.changed, "removed": self.removed}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Kept":
        return cls(dict(data.get("changed", {})), list(data.get("removed", [])))


def looks_secret(name: str) -> bool:
    """Whether a variable of that name is better not written down."""
    return _SECRET.search(name) is not None


def kept(given: Mapping[str, str], own: Mapping[str, str]) -> Kept:
    """Return what is written down of *given*, next to the *own* environment of the keeper."""
    changed = {
        name: text
        for name, text in given.items()
        if own.get(name) != text and name not in _OURS and not looks_secret(name)
    }
    removed = [name for name in own if name not in given and name not in _OURS]
    return Kept(changed, sorted(removed))


def rebuilt(kept_: Kept, own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program that is started again."""
    base = {name: text for name, text in own.items() if name not in kept_.removed}
    return {name: text for name, text in (base | kept_.changed).items() if name not in _OURS}
