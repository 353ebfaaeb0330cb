"""What the reader died of, told from one life of it to the next.

Before anything that runs native code over a session's bytes a note says which; who is started
after a death finds it. Twice the same, and the session is left alone: the others go on.
"""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.errors import IoFailed

NOTE, FENCE = "reader.note", "reader.fence"  # in the runtime directory
NOTE_SIZE = 128
DEATHS = 2  # one may be anything: a machine without memory, somebody's kill
# Seconds of processor time for one piece; 256 KiB take 0.03. Native code cannot be stopped
# otherwise: the signal ends the process, and the keeper starts another.
PATIENCE = 20.0
AT_WORK, AT_REST = b"!", b"."
WRITTEN = re.compile(rb"!([a-z0-9]+) ([0-9]+) ([0-9]+)\n")


class Suspect(NamedTuple):
    """A range of a session's log that somebody died of."""

    start: int
    end: int
    deaths: int


class Fence:
    """Who is fenced, and what is being done right now. *version* begins with a clean slate."""

    def __init__(self, runtime: Path, version: str) -> None:
        self._path = runtime / FENCE
        self._version = version
        self._suspects = self._read()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._note = os.open(runtime / NOTE, flags, 0o600)
        except OSError as error:
            reason = error.strerror or str(error)
            raise IoFailed(action=f"opening {runtime / NOTE}", reason=reason) from error
        self._blame(os.pread(self._note, NOTE_SIZE, 0))
        os.pwrite(self._note, AT_REST, 0)

    def fenced(self, session: str) -> Suspect | None:
        """Return what is not to be read of a session any more."""
        suspect = self._suspects.get(session)
        return suspect if suspect and suspect.deaths >= DEATHS else None

    def suspects(self, session: str) -> bool:
        """Whether somebody has died of it: what it left on a disk may be why."""
        return session in self._suspects

    def forget(self, session: str) -> None:
        """Take no more note of a session."""
        if self._suspects.pop(session, None) is not None:
            self._write()

    @contextmanager
    def watching(self, session: str, start: int, end: int) -> Iterator[None]:
        """Note what is being done, and that it was done."""
        end = max(end, start + 1)
        note = b"%s%s %d %d\n" % (AT_WORK, session.encode(), start, end)
        os.pwrite(self._note, note.ljust(NOTE_SIZE), 0)
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            os.pwrite(self._note, AT_REST, 0)
        suspect = self._suspects.get(session)
        if suspect is not None and end >= suspect.end:
            self.forget(session)  # it went well this time

    def close(self) -> None:
        os.close(self._note)

    def _blame(self, note: bytes) -> None:
        written = WRITTEN.match(note)
        if written is None:
            return
        session, start, end = written[1].decode(), int(written[2]), int(written[3])
        known = self._suspects.get(session)
        # Where pieces begin and end depends on when they were read: what they share counts.
        again = known is not None and start < known.end and known.start < end
        deaths = known.deaths + 1 if known and again else 1
        self._suspects[session] = Suspect(start, end, deaths)
        self._write()

    def _read(self) -> dict[str, Suspect]:
        try:
            said: dict[str, Any] = json.loads(self._path.read_text())
            if said["version"] != self._version:
                return {}  # what it died of may be mended
            return {session: Suspect(*one) for session, one in said["suspects"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write(self) -> None:
        fresh = self._path.with_name(f"{FENCE}.new")
        said = {"version": self._version, "suspects": self._suspects}
        try:
            fresh.write_text(json.dumps(said))
            fresh.rename(self._path)
        except OSError:
            pass  # a full disk: the worst that comes of it is one death more
