"""What other processes know of the hosts that run: a file each, locked for as long as it does.

The lock tells whether the host lives, whatever its pid means by now.
"""

import fcntl
import os
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

SUFFIX = ".json"
FILE_LIMIT = 64 << 10


class Record(Struct, frozen=True):
    """A host that runs. Fields are only ever added, with a default."""

    url: str
    """Where its page is, for who is on this machine; without any code."""
    pid: int
    port: int
    base: str = "/"
    started: float = 0.0
    public: str = ""
    """Where its page is for everybody else, behind a proxy."""


class Published:
    """The file of this process; closed, it is gone."""

    def __init__(self, directory: Path, record: Record) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self._file = directory / f"{record.pid}{SUFFIX}"
        # It gets its name only once it is locked: before, it would be taken for a dead one's.
        fresh = self._file.with_suffix(".new")
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(fresh, flags, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._fd, msgspec.json.encode(record))
        fresh.replace(self._file)

    def close(self) -> None:
        self._file.unlink(missing_ok=True)
        os.close(self._fd)


def running(directory: Path) -> list[Record]:
    """Return the hosts that run, newest first; files of those that were killed are removed."""
    found = []
    for file in directory.glob(f"*{SUFFIX}"):
        record = _read(file)
        if record is not None:
            found.append(record)
    return sorted(found, key=lambda record: record.started, reverse=True)


def serves(record: Record, patience: float = 2.0) -> bool:
    """Whether that host answers: it may be stopped, or be elsewhere than its address says."""
    place = urlsplit(record.url)
    if place.scheme == "https":
        # Nothing secret is asked, and its certificate may be known to browsers alone.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        asking: HTTPConnection = HTTPSConnection(place.netloc, timeout=patience, context=context)
    else:
        asking = HTTPConnection(place.netloc, timeout=patience)
    try:
        asking.request("HEAD", place.path)
        asking.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        asking.close()
    return True


def _read(file: Path) -> Record | None:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None  # it has just ended
    with os.fdopen(fd, "rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            content = opened.read(FILE_LIMIT)
        else:
            file.unlink(missing_ok=True)
            return None
    try:
        return msgspec.json.decode(content, type=Record)
    except msgspec.MsgspecError:
        return None  # nobody of ours has written that
