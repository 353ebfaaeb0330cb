"""The journal's files as files: what can be learnt without opening them, and moving them.

No function here may run while this process has the journal open: closing any descriptor of
a file drops every POSIX lock that the process has on it, and those of SQLite with them.
"""

import os
import shutil
import sqlite3
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from holdfast import __version__
from holdfast.errors import IoFailed, NewerFormat
from holdfast.store.migrations import VERSION, noted_format, version_of

# What SQLite puts beside the file. The last only ever exists while a file is being created.
COMPANIONS = ("-wal", "-shm", "-journal")

MAGIC = b"SQLite format 3\0"
HEADER_SIZE = 100
USER_VERSION = struct.Struct(">60xi")
WAL_MAGIC = (0x377F0682, 0x377F0683)
WAL_HEADER = struct.Struct(">8I")
WAL_FRAME = struct.Struct(">6I")  # page, size after commit or 0, salts, checksums
PAGE_SIZES = {1 << power for power in range(9, 17)}
DAMAGED = ".damaged-"
# Damaged ones that are kept for whoever wants to look: a bad disk leaves one at each start, and
# each is as large as the journal. What could be read of them was taken over.
ASIDE = 3
COPIES = 3  # tries to get a copy that holds together while a daemon writes


class Frame(NamedTuple):
    """One page in the write-ahead log; `commit` is said of the last of a transaction."""

    page: int
    commit: bool
    data: bytes


class Wal(NamedTuple):
    """What a write-ahead log claims to hold; its checksums are SQLite's business."""

    committed: int = 0  # frames up to the last commit
    version: int = 0  # the highest user_version in any frame
    damaged: bool = False  # there are bytes, and they are no log


def refuse_newer(path: Path) -> None:
    """Raise NewerFormat if a newer Holdfast made this journal; changes nothing at all.

    SQLite itself would create `-shm` and roll the `-wal` in, even for a look. Raises IoFailed
    if the file cannot be read. What is damaged passes.
    """
    try:
        if max(_main_version(path), read_wal(path).version) <= VERSION:
            return
        found = _asked_of_a_copy(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise IoFailed(action=f"reading {path}", reason=reason) from error
    if found is not None:
        number, holdfast = found
        known = f"Holdfast {__version__} knows formats up to {VERSION}"
        remedy = f"install Holdfast {holdfast} or newer; the file is left as it is"
        raise NewerFormat(
            action=f"opening {path}", reason=f"it has format {number}, and {known}", remedy=remedy
        )


def read_wal(path: Path) -> Wal:
    """Return what the write-ahead log beside *path* claims to hold."""
    committed = version = 0
    try:
        for number, frame in enumerate(wal_frames(path), 1):
            committed = number if frame.commit else committed
            if frame.page == 1:
                version = max(version, _version_in(frame.data))
    except ValueError:
        return Wal(damaged=True)
    return Wal(committed, version)


def wal_frames(path: Path) -> Iterator[Frame]:
    """Yield the frames of the write-ahead log that are of its present use, unchecked.

    Raises ValueError if it is none.
    """
    log = Path(f"{path}-wal")
    if not log.exists():
        return
    with log.open("rb") as file:
        header = file.read(WAL_HEADER.size)
        if not header:
            return
        if len(header) < WAL_HEADER.size:
            raise ValueError("a write-ahead log cut short")
        magic, _, page_size, _, *salts = WAL_HEADER.unpack(header)[:6]
        if magic not in WAL_MAGIC or page_size not in PAGE_SIZES:
            raise ValueError("no write-ahead log")
        step = WAL_FRAME.size + page_size
        while len(frame := file.read(step)) == step:
            page, commit, *frame_salts = WAL_FRAME.unpack_from(frame)[:4]
            # What follows is left over from before the log was last begun anew.
            if frame_salts != salts:
                return
            yield Frame(page, bool(commit), frame[WAL_FRAME.size :])


def make_private(path: Path) -> None:
    """Create the file if there is none. SQLite gives its companions the mode it has."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for part in (path, *(Path(f"{path}{suffix}") for suffix in COMPANIONS)):
        if part.exists() and part.stat().st_mode & 0o077:
            part.chmod(0o600)


def move_aside(path: Path) -> Path:
    """Rename the files of a damaged journal and return where it lies now."""
    aside = _free_name(path)
    # The file itself last: whoever is killed here leaves a damaged journal, seen again by the
    # next start. The other way round SQLite would delete a log that has lost its file.
    for suffix in (*COMPANIONS, ""):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")
    _drop_older(path, aside.name)
    return aside


def copy_wal_aside(path: Path) -> Path:
    """Keep a copy of the write-ahead log before it is written over; return where."""
    aside = Path(f"{_free_name(path)}-wal")
    shutil.copyfile(f"{path}-wal", aside)
    aside.chmod(0o600)
    _drop_older(path, aside.name.removesuffix("-wal"))
    return aside


def _drop_older(path: Path, newest: str) -> None:
    """Keep the newest of the damaged ones: this one, whatever the clock says, and those before."""
    found = _put_aside(path)
    found.pop(newest, None)
    for name in sorted(found, key=found.__getitem__)[: 1 - ASIDE]:
        for suffix in (*COMPANIONS, ""):
            # One that cannot be removed stops no start; it is tried again with the next.
            with suppress(OSError):
                path.with_name(f"{name}{suffix}").unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    stem = f"{path.name}{DAMAGED}{time.strftime('%Y%m%dT%H%M%S')}"
    taken = _put_aside(path)
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return path.with_name(name)


def _put_aside(path: Path) -> dict[str, int]:
    """Return the names of the damaged ones, and when each was put aside.

    Of some of them only a companion is there.
    """
    found: dict[str, int] = {}
    for entry in path.parent.glob(f"{path.name}{DAMAGED}*"):
        name = entry.name
        for suffix in COMPANIONS:
            name = name.removesuffix(suffix)
        found[name] = max(found.get(name, 0), entry.lstat().st_ctime_ns)
    return found


def _main_version(path: Path) -> int:
    try:
        with path.open("rb", buffering=0) as file:
            header = file.read(HEADER_SIZE)
    except FileNotFoundError:
        return 0
    return _version_in(header)


def _version_in(page: bytes) -> int:
    if len(page) < HEADER_SIZE or not page.startswith(MAGIC):
        return 0
    (version,) = USER_VERSION.unpack_from(page)
    return int(version)


def _asked_of_a_copy(path: Path) -> tuple[int, str] | None:
    """Return format and maker if they are newer, and not just a damaged number."""
    for _ in range(COPIES):
        with tempfile.TemporaryDirectory() as directory:
            copy = Path(directory) / "journal.db"
            for suffix in ("-wal", ""):
                if Path(f"{path}{suffix}").exists():
                    shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
            connection = sqlite3.connect(copy, isolation_level=None)
            try:
                found = noted_format(connection)
                return found if found[0] == version_of(connection) > VERSION else None
            except sqlite3.Error:
                pass  # damaged, or a daemon wrote while this was copied
            finally:
                connection.close()
    return None
