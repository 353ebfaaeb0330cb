"""What `hold doctor` asks of files: directories, settings, token, lock, sockets, journal, disk."""

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from holdfast.cli.doctor_scene import BROKEN, OK, WARNING, Check, Finding, Scene
from holdfast.cli.render import size
from holdfast.config.load import faults
from holdfast.config.paths import Paths, distrusted, unmakeable
from holdfast.config.token import read_token
from holdfast.errors import InvalidSetting

LOCK = "keeper.lock"
LOW_DISK = 1 << 30  # bytes; a flood fills the rest within seconds
NO_ROOM = 32 << 20  # bytes; below it every program that prints may have to wait
BUDGET, SHARE_OF_FREE = 8 << 30, 10  # what holds while session.budget is not set
NEARLY = 0.9  # of the budget
JOURNAL_LIMIT = 1 << 30  # bytes; a larger one takes too long to be copied and read
LOGS = ".log"


def settings(scene: Scene) -> Iterator[Finding]:
    """Variables and config file."""
    if scene.paths is not None and isinstance(scene.problem, InvalidSetting):
        for fault in faults(scene.places.config_file, scene.environ):
            yield Finding(BROKEN, fault.what, fault.fix or _how(scene))
    elif scene.problem is not None:
        yield Finding(BROKEN, scene.problem.what, scene.problem.fix or _how(scene))
    elif scene.places.config_file.exists():
        yield Finding(OK, f"every setting in {scene.places.config_file} is known and makes sense")
    else:
        yield Finding(OK, f"nothing is set in a file ({scene.places.config_file} is not there)")
    if scene.paths is None:
        return
    try:
        mode = scene.paths.config_file.stat().st_mode
    except OSError:
        return
    if mode & 0o022:
        file = scene.paths.config_file
        yield Finding(WARNING, f"other users may write to {file}", f"chmod go-w {file}")


def directories(scene: Scene) -> Iterator[Finding]:
    """State and runtime directory: there, ours, closed, no links, writable."""
    for directory in (scene.places.state, scene.places.runtime):
        yield _directory(directory, scene.uid)


def token(scene: Scene) -> Iterator[Finding]:
    """The token, if there is one; what is wrong with it is said by who reads it."""
    if read_token(scene.places.token, scene.uid):
        yield Finding(OK, f"only who can read {scene.places.token} is let in")
    else:
        yield Finding(OK, "none is set: every process of this user is let in")


def lock(scene: Scene) -> Iterator[Finding]:
    """Who holds the keeper's lock, and whether that one answers."""
    path = scene.places.state / LOCK
    try:
        found = path.lstat()
    except FileNotFoundError:
        if scene.status is None:
            yield Finding(OK, "no keeper has ever run here")
        else:
            what = f"a keeper runs, but its lock {path} was deleted: a second one could start"
            yield Finding(BROKEN, what, "end the sessions when you can, then `hold daemon stop`")
        return
    if not stat.S_ISREG(found.st_mode):
        what = f"{path} is no file of the keeper: no keeper can start"
        yield Finding(BROKEN, what, f"remove {path}")
    elif found.st_uid != scene.uid:
        yield Finding(BROKEN, f"{path} belongs to user {found.st_uid}", f"remove {path}")
    elif scene.silence:
        pid = _holder(found.st_ino)
        who = f"the keeper (pid {pid})" if pid else "somebody"
        what = f"{who} holds {path}, and {scene.silence}"
        yield Finding(BROKEN, what, f"if it was stopped: kill -CONT {pid or 'PID'}")
    elif scene.status is None and (pid := _holder(found.st_ino)):
        what = f"process {pid} holds {path} and cannot be reached"
        yield Finding(WARNING, what, "any `hold` has it look after its sockets: try `hold ls`")
    else:
        yield Finding(OK, "one keeper holds it" if scene.status else "free; no keeper runs")


def sockets(scene: Scene) -> Iterator[Finding]:
    """The sockets: real ones, ours, closed to others, with somebody behind them."""
    clean = True
    for path in (scene.places.socket, scene.places.keeper_socket):
        for finding in _socket(path, scene):
            clean = False
            yield finding
    if clean and not scene.silence:
        behind = "answer" if scene.status else "are not there: nothing runs"
        yield Finding(OK, f"those in {scene.places.runtime} {behind}")


def journal(scene: Scene) -> Iterator[Finding]:
    """Whether SQLite finds the journal sound; kept copies of damaged ones."""
    path = scene.places.journal
    if asides := list(path.parent.glob(f"{path.name}.damaged-*")):
        taken = size(sum(each.stat().st_size for each in asides))
        newest = max(asides, key=lambda each: each.stat().st_ctime)
        what = f"what was damaged of journals is kept aside ({taken}), the newest 3: {newest}"
        yield Finding(WARNING, what, "what could be read of it was taken over; remove it")
    if not path.exists():
        yield Finding(OK, "there is none yet")
    elif path.stat().st_size > JOURNAL_LIMIT:
        yield Finding(OK, f"too large to be read just so ({size(path.stat().st_size)})")
    elif complaint := _unsound(path, is_used=bool(scene.part("daemon").get("pid"))):
        fix = "`hold daemon restart`: what can be read is kept, the file is moved aside"
        yield Finding(BROKEN, f"{path} is damaged: {complaint}", fix)
    else:
        yield Finding(OK, f"{path} is sound ({size(path.stat().st_size)})")


def disk(scene: Scene) -> Iterator[Finding]:
    """Room on the disk, and in the budget."""
    where = _nearest(scene.places.state)
    room = os.statvfs(where)
    free = room.f_bavail * room.f_frsize
    if room.f_flag & os.ST_RDONLY:
        yield Finding(
            BROKEN, f"{where} is on a read-only file system", f"mount -o remount,rw {where}"
        )
    elif free < NO_ROOM or (room.f_files and not room.f_favail):
        what = f"the disk of {where} is full: programs that print wait"
        yield Finding(
            BROKEN, what, "make room; `hold du` shows what is kept, `hold forget` drops it"
        )
    elif free < LOW_DISK:
        what = f"only {size(free)} are free on the disk of {where}"
        yield Finding(
            WARNING, what, "make room; `hold du` shows what is kept, `hold forget` drops it"
        )
    else:
        yield Finding(OK, f"{size(free)} are free")
    used = scene.stats.logs if scene.stats else _logged(scene.places)
    budget = scene.config.budget or min(BUDGET, (free + used) // SHARE_OF_FREE)
    if used > NEARLY * budget:
        what = f"output takes {size(used)} of its budget of {size(budget)}: the oldest is given up"
        yield Finding(
            WARNING, what, "set session.budget higher, or `hold forget` what is not needed"
        )


CHECKS = (
    Check("settings", "are config file and variables usable?", settings, needs_places=False),
    Check("directories", "are they there, yours alone, and no links?", directories),
    Check("token", "who is let in?", token),
    Check("lock", "does one keeper hold it?", lock),
    Check("sockets", "is somebody behind them?", sockets),
    Check("journal", "is it sound?", journal),
    Check("disk", "is there room, and within the budget?", disk),
)


# -- how it is found out


def _how(scene: Scene) -> str:
    if isinstance(scene.problem, InvalidSetting):
        return "docs/reference/settings.md lists every setting"
    return "mend the file, or move it away"


def _directory(directory: Path, uid: int) -> Finding:
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return _missing(directory, uid)
    except NotADirectoryError:
        what = f"{directory} cannot be made: a file is in the way"
        return Finding(BROKEN, what, f"look at {_nearest(directory)}, and move it elsewhere")
    if (refused := distrusted(directory, found, uid)) is not None:
        return Finding(BROKEN, refused.what, refused.fix)
    if not os.access(directory, os.W_OK | os.X_OK):
        return Finding(BROKEN, f"{directory} cannot be written to", f"chmod 700 {directory}")
    return Finding(OK, f"{directory} is yours alone")


def _missing(directory: Path, uid: int) -> Finding:
    if (refused := unmakeable(directory, uid)) is not None:
        return Finding(BROKEN, refused.what, refused.fix)
    parent = _nearest(directory)
    if parent.is_dir() and os.access(parent, os.W_OK):
        return Finding(OK, f"{directory} is not there yet; the first start makes it")
    what = f"{directory} cannot be made: {parent} is not a directory you may write to"
    return Finding(BROKEN, what, "set HOLDFAST_HOME to a place of your own")


def _nearest(path: Path) -> Path:
    """Return the path, or the nearest of its parents that is there."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), Path("/"))


def _holder(inode: int) -> int:
    """Return who holds a lock on the file of this inode; 0 is nobody that can be seen."""
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return 0
    for words in (line.split() for line in lines):
        if len(words) > 5 and words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
            return max(0, int(words[4]))
    return 0


def _socket(path: Path, scene: Scene) -> Iterator[Finding]:
    try:
        found = path.lstat()
    except OSError:
        if scene.status:
            what = f"{path} was deleted while the keeper runs"
            yield Finding(WARNING, what, "any `hold` has the keeper make it again: try `hold ls`")
        return
    if not stat.S_ISSOCK(found.st_mode):
        yield Finding(BROKEN, f"{path} is in the way and is no socket", f"move {path} elsewhere")
    elif found.st_uid != scene.uid:
        yield Finding(BROKEN, f"{path} belongs to user {found.st_uid}", f"remove {path}")
    elif found.st_mode & 0o077:
        what = f"{path} is open to other users"
        yield Finding(BROKEN, what, f"chmod 600 {path}")
    elif scene.status is None and not scene.silence:
        what = f"nobody listens on {path}: left by a keeper that was killed"
        yield Finding(WARNING, what, f"the next `hold` replaces it; or rm {path}")


def _unsound(path: Path, *, is_used: bool) -> str:
    """Return what SQLite says against a journal."""
    try:
        if is_used:
            return _complaint(path, "ro")
        # Opened where it lies, a journal that nobody uses would be written to.
        with tempfile.TemporaryDirectory() as place:
            for each in (path, Path(f"{path}-wal")):
                if each.exists():
                    shutil.copyfile(each, Path(place) / each.name)
            return _complaint(Path(place) / path.name, "rw")
    except sqlite3.Error as error:
        return str(error)


def _complaint(path: Path, mode: str) -> str:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=1.0)) as opened:
        (said,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    return "" if said == "ok" else str(said)


def _logged(places: Paths) -> int:
    """Return the bytes of output that are kept, without a daemon that knows it."""
    files = (places.state / "sessions").glob(f"*/*{LOGS}")
    return sum(each.stat(follow_symlinks=False).st_size for each in files)
