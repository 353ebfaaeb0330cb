"""Which file a path of a URL means: one inside the folder, or none at all."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from holdfast.dev.settling import Look

WELL_KNOWN = ".well-known"  # the one name with a dot that the web itself uses
INDEX = "index.html"
LONGEST_NAME = 255  # characters; no file system has longer ones
READ_WHOLE = 8 << 20  # bytes; a larger file is told by its time, and sent in pieces


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a path means."""

    path: Path
    """The file below the folder as it was asked for, also where there is none yet."""
    needs_slash: bool = False
    """It is a folder: pages in it would look for their files in the wrong place."""


class Folder:
    """A folder from which files are served, and nothing outside of it."""

    def __init__(self, root: Path, *, dotfiles: bool) -> None:
        self.root = root.resolve()
        self._dotfiles = dotfiles

    def find(self, path: str) -> Found | None:
        """Return what a decoded path of a URL means; None for what is nobody's business."""
        parts = path.split("/")[1:]
        if not path.startswith("/") or any(not self._may_see(part) for part in parts):
            return None
        asked = self.root.joinpath(*(part for part in parts if part))
        try:
            real = asked.resolve()
            inside = real.relative_to(self.root)
        except (OSError, ValueError, RuntimeError):  # too long, outside, or a loop of links
            return None
        # A link may give a hidden file another name.
        if any(not self._may_see(part) for part in inside.parts):
            return None
        if real.is_dir():
            if not path.endswith("/"):
                return Found(path=asked, needs_slash=True)
            return None if asked.name == INDEX else self.find(path + INDEX)
        return None if path.endswith("/") else Found(path=asked)

    def _may_see(self, part: str) -> bool:
        if part in (".", "..") or "\0" in part or "\\" in part or len(part) > LONGEST_NAME:
            return False
        return self._dotfiles or not part.startswith(".") or part == WELL_KNOWN


def read(path: Path) -> bytes | None:
    """Return what is in a file that may be sent whole; None if it is too large."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise FileNotFoundError(path)  # a pipe would keep whoever asks for it for ever
        if facts.st_size > READ_WHOLE:
            return None
        return file.read(READ_WHOLE + 1)


def look_of(data: bytes) -> Look:
    """Return what is remembered of a content."""
    return Look(len(data), hashlib.blake2b(data, digest_size=16).digest())


def look(path: str) -> Look | None:
    """Return what a file is now; None if there is none."""
    try:
        data = read(Path(path))
        if data is not None:
            return look_of(data)
        facts = Path(path).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(facts.st_mode):
        return None
    return Look(facts.st_size, facts.st_mtime_ns.to_bytes(16))
