"""What `hold doctor` asks of processes: keeper, daemon, pump, reader, and what may end them."""

import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast import __version__
from holdfast.cli.doctor_scene import BROKEN, OK, UP, WARNING, Check, Finding, Scene
from holdfast.cli.render import age

RESTART = "`hold daemon restart`; no session is lost"
FENCE, DEATHS = "reader.fence", 2  # the reader's own note, and when it counts
READS_WITH = ("pyghostty", "zstandard")
IMPORT_TIMEOUT = 20.0  # seconds; half of one, on a machine that has nothing else to do
FILES_A_SESSION = 6  # descriptors in the keeper; the daemon needs no more
RESERVE = 64  # descriptors for everything else
FEW = 8  # sessions; with room for less nothing works well
PROCESSES_LEFT = 64  # a build starts as many at once
PIPES, PAGES = 2, 16  # of a session, and of a pipe as large as it should be
UNLIMITED = 1 << 40
MARK = "Max open files"
SOURCE = Path(__file__).parents[2]  # of this very code


def keeper(scene: Scene) -> Iterator[Finding]:
    """Whether it answers, and what it complains of."""
    if scene.silence:
        yield Finding(BROKEN, f"the keeper is there, but {scene.silence}", "see `lock` above")
    elif scene.status is None:
        yield Finding(OK, _absence(scene))
    if scene.status is None:
        return
    found = scene.part("keeper")
    if faults := found.get("faults"):
        log = scene.places.state / "keeper.log"
        yield Finding(
            WARNING, f"the keeper has had {faults} faults", f"please report what {log} says"
        )
    up = age(scene.now - float(found.get("started") or scene.now))
    yield Finding(
        OK, f"pid {found.get('pid')}, up {up}; sessions it keeps: {scene.status.get('sessions')}"
    )


def daemon(scene: Scene) -> Iterator[Finding]:
    """Whether it serves, and whether it is of this version; its spare as well."""
    found = scene.part("daemon")
    if not found:
        yield Finding(OK, _absence(scene))
        return
    state, pid = str(found.get("state")), found.get("pid")
    if state not in UP:
        yield Finding(
            BROKEN, f"the daemon is {state}: {found.get('reason') or 'nobody knows why'}", RESTART
        )
    elif scene.hush is not None and scene.places.socket.exists():
        yield Finding(BROKEN, f"the daemon (pid {pid}) does not answer: {scene.hush.what}", RESTART)
    else:
        yield Finding(
            OK, f"pid {pid}, up {age(scene.now - float(found.get('started') or scene.now))}"
        )
    version = scene.stats.version if scene.stats else found.get("version")
    if version and version != __version__:
        yield Finding(
            WARNING, f"the daemon is version {version}, this `hold` is {__version__}", RESTART
        )
    if found.get("spare") and _is_of_another_code(int(found["spare"])):
        what = f"the spare daemon (pid {found['spare']}) has the code of another version"
        yield Finding(WARNING, what, RESTART)
    if scene.stats and scene.stats.complaint:
        yield Finding(
            WARNING, f"its last complaint: {scene.stats.complaint}", "daemon.log has the rest"
        )


def pump(scene: Scene) -> Iterator[Finding]:
    """Which one runs, and what a killed daemon would cost."""
    kind = (scene.status or {}).get("pump")
    reason = str((scene.status or {}).get("pump_reason") or "")
    if kind is None and scene.config.pump == "copy":
        kind, reason = "copy", "session.pump is set to copy"
    if kind == "copy":
        is_set = "session.pump" in reason
        where = "put the state directory on another file system: XDG_STATE_HOME, or HOLDFAST_HOME"
        fix = (
            "take session.pump out of your settings, then `hold daemon restart`"
            if is_set
            else where
        )
        what = f"copy ({reason}): a killed daemon may lose the bytes it has just read"
        yield Finding(WARNING, what, fix)
    elif kind is None:
        yield Finding(OK, "chosen when a daemon runs; splice wherever the system has it")
    else:
        yield Finding(OK, f"{kind}: a killed daemon loses nothing")


def reader(scene: Scene) -> Iterator[Finding]:
    """Whether it can be, whether it is, and what it cannot read."""
    if scene.config.reader == "off":
        yield Finding(OK, "switched off: viewers get the last output as it was printed")
    elif complaint := _cannot_import():
        what = f"it cannot start: {complaint}"
        yield Finding(WARNING, what, "install Holdfast anew; until then viewers get raw output")
    else:
        yield _reader_state(scene)
    if fenced := _fenced(scene):
        what = f"it died of what these printed and leaves them alone: {', '.join(fenced)}"
        fix = "`hold output ID` has it all; please report it, a new version tries again"
        yield Finding(WARNING, what, fix)


def limits(scene: Scene) -> Iterator[Finding]:
    """Descriptors and processes: for how many sessions they are enough."""
    pid = scene.part("keeper").get("pid")
    files = _files_of(int(pid)) if pid else resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = UNLIMITED if files == resource.RLIM_INFINITY else files
    room, wanted = max(0, files - RESERVE) // FILES_A_SESSION, scene.config.session_limit
    whose = "the keeper has" if pid else "a keeper started from here would have"
    enough = wanted * FILES_A_SESSION + RESERVE
    fix = f"raise the hard limit (ulimit -Hn {enough}), then start it anew"
    if room < wanted:
        level = BROKEN if room < FEW else WARNING
        what = f"{whose} {files} file descriptors: enough for {room} sessions, {wanted} are allowed"
        yield Finding(level, what, fix)
    else:
        yield Finding(OK, f"{whose} descriptors for all {wanted} sessions")
    if (largest := resource.getrlimit(resource.RLIMIT_FSIZE)[0]) not in (
        resource.RLIM_INFINITY,
        -1,
    ):
        what = f"no file may be larger than {largest} bytes: logs end there"
        yield Finding(WARNING, what, "ulimit -f unlimited, before the daemon is started")
    left = _processes_left(scene.uid)
    if left is not None and left < PROCESSES_LEFT:
        what = f"you may start only {max(0, left)} more processes"
        yield Finding(WARNING, what, "ulimit -u with a higher number, or end what you do not need")


def pipes(scene: Scene) -> Iterator[Finding]:
    """Whether the pipes that output goes through are as large as they should be."""
    try:
        pages = int(Path("/proc/sys/fs/pipe-user-pages-soft").read_text())
    except (OSError, ValueError):
        yield Finding(OK, "this system has no limit for them")
        return
    room = pages // (PIPES * PAGES)
    if scene.uid == 0 or pages == 0 or room >= scene.config.session_limit:
        yield Finding(OK, "large enough for every session")
    else:
        what = (
            f"after {room} sessions the system makes pipes smaller: output is slower, none is lost"
        )
        wanted = scene.config.session_limit * PIPES * PAGES
        yield Finding(WARNING, what, f"sysctl fs.pipe-user-pages-soft={wanted}")


def cgroup(scene: Scene) -> Iterator[Finding]:
    """Whether the keeper would be ended together with what started it."""
    pid = scene.part("keeper").get("pid")
    group = _group_of(str(pid)) if pid else ""
    if not group:
        yield Finding(OK, "nothing to be told: no keeper runs, or this system has none")
    elif group == "/":
        yield Finding(OK, "the keeper is in the root group: only the machine's end ends it")
    elif group == _group_of("self"):
        what = f"the keeper is in your own group {group}: what ends that (a logout, CI) ends it"
        yield Finding(WARNING, what, "`hold daemon install`, where there is systemd")
    else:
        yield Finding(OK, f"the keeper is in a group of its own: {group}")


CHECKS = (
    Check("keeper", "does it answer?", keeper),
    Check("daemon", "does it serve, and is it of this version?", daemon),
    Check("pump", "can a killed daemon lose bytes?", pump),
    Check("reader", "are there screens?", reader),
    Check("limits", "for how many sessions are they enough?", limits, needs_places=False),
    Check("pipes", "are they large enough?", pipes, needs_places=False),
    Check("cgroup", "does the keeper outlive its starter?", cgroup),
)


# -- how it is found out


def _absence(scene: Scene) -> str:
    if scene.silence:
        return "only its keeper would know"
    return "none runs; whatever needs one starts it"


def _is_of_another_code(pid: int) -> bool:
    """Whether a process was started from other files than ours, or before they were installed."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        spec = next(json.loads(word) for word in words if word.startswith(b"{"))
        begun = Path(f"/proc/{pid}").stat().st_mtime
        installed = (SOURCE / "holdfast" / "__init__.py").stat().st_ctime
        return Path(spec["root"]) != SOURCE or installed > begun
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return False  # it has just ended


def _cannot_import() -> str:
    """Return why the reader's native parts cannot be imported; tried in a process of its own."""
    missing = [name for name in READS_WITH if importlib.util.find_spec(name) is None]
    if missing:
        return f"{' and '.join(missing)} cannot be found"
    try:
        tried = subprocess.run(
            [sys.executable, "-c", f"import {', '.join(READS_WITH)}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=IMPORT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = tried.stderr.decode(errors="replace").strip().splitlines()
    return (said or [f"exit code {tried.returncode}"])[-1] if tried.returncode else ""


def _reader_state(scene: Scene) -> Finding:
    found = scene.part("reader")
    if found.get("state") in ("waiting", "unable"):
        what = f"the reader is {found['state']}: {found.get('reason') or 'nobody knows why'}"
        return Finding(
            WARNING, what, f"{scene.places.state / 'reader.log'} has the rest; {RESTART}"
        )
    if found.get("pid"):
        return Finding(OK, f"pid {found['pid']}, restarted {found.get('restarts', 0)} times")
    return Finding(OK, "can be started; it is when there is something to read")


def _fenced(scene: Scene) -> list[str]:
    try:
        note = json.loads((scene.places.runtime / FENCE).read_text())
        return [name for name, suspect in note["suspects"].items() if suspect[2] >= DEATHS]
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return []


def _files_of(pid: int) -> int:
    """Return the soft limit of a process; a keeper has raised its own as far as it may."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    soft = next(line.removeprefix(MARK).split()[0] for line in lines if line.startswith(MARK))
    return UNLIMITED if soft == "unlimited" else int(soft)


def _processes_left(uid: int) -> int | None:
    """Return how many more a user may start; None is as many as there is room for."""
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if uid == 0 or soft in (resource.RLIM_INFINITY, -1):
        return None
    count = 0
    with os.scandir("/proc") as entries:
        for entry in entries:
            try:
                count += entry.name.isdigit() and entry.stat().st_uid == uid
            except OSError:
                continue  # it has just ended
    return soft - count


def _group_of(pid: str) -> str:
    """Return the control group that a login manager knows a process by."""
    try:
        rows = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    except OSError:
        return ""
    named: Mapping[str, str] = {row[1]: row[2] for row in rows if len(row) == 3}
    return named.get("name=systemd") or named.get("") or ""
