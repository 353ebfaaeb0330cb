"""Where the files of sessions are: their logs, and the pages of their input."""

import hashlib
import os
import shutil
from collections.abc import Container, Mapping
from pathlib import Path

from holdfast.config.paths import agent_link, distrusted, make_private
from holdfast.daemon.creation import failed
from holdfast.daemon.input_page import Page
from holdfast.daemon.record import Record
from holdfast.daemon.reporting import report
from holdfast.errors import InvalidArgument
from holdfast.formats.segments import first_offset
from holdfast.store.forget import finish_forgetting
from holdfast.types import SESSION_ID

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it
MOUNTS = Path("/proc/self/mountinfo")
IN_MEMORY = {"tmpfs", "ramfs"}
AGENT = "SSH_AUTH_SOCK"


class Places:
    """Directories and pages by session."""

    def __init__(self, state: Path, runtime: Path) -> None:
        self._logs = state / "sessions"
        self._pages = runtime / "input"
        self._runtime = runtime
        for directory in (self._logs, self._pages):
            directory.mkdir(mode=0o700, exist_ok=True)

    def directory(self, record: Record) -> Path:
        """Return where the log of a session is; it need not exist."""
        if record.ephemeral:
            return self._memory / record.id
        return self._logs / record.id

    def page(self, record: Record) -> Path:
        return self._pages / record.id

    def found(self) -> set[str]:
        """Return the ids of sessions that have a log on the disk."""
        return {name for name in os.listdir(self._logs) if SESSION_ID.fullmatch(name)}  # noqa: PTH208

    def has_log(self, session: str) -> bool:
        try:
            names = os.listdir(self._logs / session)  # noqa: PTH208 - just the names
        except OSError:
            return False
        return any(first_offset(name) is not None for name in names)

    def make(self, record: Record) -> None:
        """Make what a session writes to; no program is started for which there is no room."""
        if record.ephemeral:
            self._make_memory()
        directory, page = self.directory(record), self.page(record)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            page.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # cleaners of /tmp come by
            Page(page).close()
        except OSError as error:
            raise failed(directory, error) from error

    def with_agent(self, record: Record, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment with a stable place for the agent it names.

        The place is a link, which whoever comes to own the session lets point to its own agent.
        """
        target, link = env.get(AGENT, ""), agent_link(self._runtime, record.id)
        if not target:
            return dict(env)
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        except OSError as error:
            report("an agent could not be linked", session=record.id, reason=error)
            return dict(env)
        return {**env, AGENT: str(link)}

    def remove_page(self, record: Record) -> None:
        self.page(record).unlink(missing_ok=True)
        self.remove_agent(record)

    def remove_agent(self, record: Record) -> None:
        """Nobody is left who would ask for it."""
        agent_link(self._runtime, record.id).unlink(missing_ok=True)

    def remove(self, record: Record) -> None:
        """Remove what was made for a program that is no more, or never came to be."""
        self.remove_page(record)
        _remove(self.directory(record))

    def finish_forgetting(self) -> None:
        """Remove what a kill has left of sessions that were forgotten."""
        finish_forgetting(self._logs)

    def sweep_memory(self, held: Container[str]) -> None:
        """Remove what ephemeral sessions left behind that nobody holds any more.

        Anybody may make something of that name where all have one memory: through a link we
        would remove what is not ours to remove, or is dear to us.
        """
        try:
            is_ours = distrusted(self._memory, self._memory.lstat(), os.getuid()) is None
        except OSError:
            return
        for directory in self._memory.iterdir() if is_ours else ():
            if directory.name not in held:
                _remove(directory)

    @property
    def _memory(self) -> Path:
        if _is_in_memory(self._runtime):
            return self._runtime / "memory"
        digest = hashlib.sha256(os.fsencode(self._runtime)).hexdigest()[:12]
        return SHARED_MEMORY / f"holdfast-{os.getuid()}-{digest}"

    def _make_memory(self) -> None:
        if not _is_in_memory(self._memory.parent):
            problem = "there is no file system in memory here (tmpfs)"
            raise InvalidArgument(argument="ephemeral", value="true", problem=problem)
        make_private(self._memory, os.getuid())


def _remove(directory: Path) -> None:
    try:
        shutil.rmtree(directory)
    except FileNotFoundError:
        pass  # it was never made
    except OSError as error:
        # What an ephemeral session printed must not stay without a word.
        report("a directory could not be removed", directory=directory, reason=error)


def _is_in_memory(directory: Path) -> bool:
    """Whether what is written there never reaches a disk, as far as the system says."""
    try:
        lines = MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return False  # not Linux: nobody can tell
    found = ("", "")
    for line in lines:
        point, kind = line.split(" ")[4], line.partition(" - ")[2].split(" ")[0]
        is_above = point == "/" or directory == Path(point) or Path(point) in directory.parents
        if is_above and len(point) >= len(found[0]):
            found = point, kind
    return found[1] in IN_MEMORY
