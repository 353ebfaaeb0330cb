"""The table of sessions, one small file each: what there is until the journal exists.

It knows of a record only that it has an id. A damaged one is kept aside and reported.
"""

import json
import logging
import os
from pathlib import Path

from holdfast.errors import InvalidArgument
from holdfast.types import SESSION_ID

logger = logging.getLogger(__name__)

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]

RECORD = "session.json"


class SessionTable:
    """The records under `sessions/` in the state directory, by session id.

    `damaged` lists the files that could not be read since this table was opened, where
    they lie now.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "sessions"
        self.damaged: list[Path] = []

    def directory(self, session: str) -> Path:
        """Return where the files of a session are; it need not exist."""
        if not SESSION_ID.fullmatch(session):
            raise InvalidArgument(argument="id", value=session, problem="not a session id")
        return self._directory / session

    def put(self, record: dict[str, JSON]) -> None:
        """Store *record* in place of the one with its id, whole or not at all.

        Raises OSError as it is when the disk is full.
        """
        directory = self.directory(str(record.get("id")))
        self._directory.mkdir(mode=0o700, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        fresh = directory / f"{RECORD}.new"
        # Escaped to ASCII, so that arguments that are no UTF-8 come back unchanged.
        _write(fresh, json.dumps(record, indent=1).encode("ascii"))
        fresh.replace(directory / RECORD)

    def get(self, session: str) -> dict[str, JSON] | None:
        """Return the record of that id, or None if there is none that can be read."""
        path = self.directory(session) / RECORD
        try:
            record = _read(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            self._set_aside(path, error)
            return None
        return record

    def all(self) -> list[dict[str, JSON]]:
        """Return every record that can be read, sorted by id."""
        names = sorted(name for name in self._names() if SESSION_ID.fullmatch(name))
        return [record for name in names if (record := self.get(name)) is not None]

    def remove(self, session: str) -> None:
        """Remove the record, and the directory if nothing else is in it."""
        directory = self.directory(session)
        (directory / RECORD).unlink(missing_ok=True)
        try:
            directory.rmdir()
        except OSError:
            pass  # the log is still there, or nothing ever was

    def _names(self) -> list[str]:
        try:
            return [entry.name for entry in self._directory.iterdir()]
        except FileNotFoundError:
            return []

    def _set_aside(self, path: Path, error: Exception) -> None:
        aside = path.with_name(f"{RECORD}.damaged")
        # What could not even be read may be whole: it stays, and is reported all the same.
        if not isinstance(error, OSError):
            try:
                path = path.replace(aside)
            except OSError as refused:
                logger.warning("%s cannot be moved aside: %s", path, refused)
        self.damaged.append(path)
        logger.warning("the record of a session is damaged: %s: %s", path, error)


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        # Else a power cut may leave the new name with no bytes behind it. Whoever must not
        # wait for the disk has somebody else do this.
        os.fsync(fd)


def _read(path: Path) -> dict[str, JSON]:
    record: JSON = json.loads(path.read_bytes())
    if not isinstance(record, dict) or record.get("id") != path.parent.name:
        raise ValueError("it is not the record of this session")
    return record
