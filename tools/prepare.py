"""Prepare this tree for a job: `prepare.py run`, `check`, `test` or `fuzz`.

Everything goes into `.venv`, from the hashes in `locks/`. Done once, it costs a
glance: each lock leaves a stamp of what it was installed from. This file knows no
test and no product, and runs on a bare Python.
"""

import sys

# Before anything a newer Python is needed for, so that an older one says this and not a traceback.
if sys.version_info < (3, 11):  # noqa: UP036 - it is the check itself
    sys.exit(f"Holdfast needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")

import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import node
import page
import system
from steps import LOG, ROOT, STATE, Way, say, step

VENV = ROOT / ".venv"
STAMPS = VENV / ".prepared"
PYTHON = VENV / "bin/python"
UV = VENV / "bin/uv"

# The locks a job needs, so that a level which includes another one satisfies it.
LEVELS = {
    "run": ("build", "run"),
    "check": ("build", "run", "check", "test"),  # mypy reads the tests, too
    "test": ("build", "run", "check", "test", "window"),
    "fuzz": ("build", "run", "fuzz"),
}


MORE = f"All that was said is in {LOG.relative_to(ROOT)}."
NO_VENV = f"""\
This Python ({sys.executable}) cannot make virtual environments: its ensurepip is missing.
On Debian and Ubuntu:  apt-get install python3-venv"""


class PreparationError(Exception):
    """The job cannot be prepared; the text says why, and where to read on."""


def main(arguments: list[str]) -> int:
    """Prepare for the named job; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in LEVELS:
        say(f"usage: prepare.py {'|'.join(LEVELS)}")
        return 2
    try:
        prepare(arguments[0])
    except PreparationError as failure:
        say(str(failure))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next make goes on from here")
        return 130
    return 0


def prepare(level: str) -> None:
    """Bring the environment up to a level, alone, unless it is there already."""
    if not _is_ready(level):
        with _alone():
            _prepare_environment(level)
    if level == "test":
        _prepare_oracle()
        system.provide()


def _is_ready(level: str) -> bool:
    names = ("venv", *LEVELS[level], "self")
    return all(_is_stamped(name) for name in names) and _has_page()


def _prepare_environment(level: str) -> None:
    if not _is_stamped("venv"):
        _create_venv()
    if not _is_stamped("uv"):
        _install_uv()
    stale = [name for name in LEVELS[level] if not _is_stamped(name)]
    if stale:
        requirements = [word for name in stale for word in ("-r", str(_lock(name)))]
        _install("packages", ["--require-hashes", *requirements])
        _stamp(*stale)
    _prepare_page()
    if not _is_stamped("self"):
        # A requirement with a hash cannot be editable, and an isolated build would fetch
        # unhashed tools: so this tree comes last, built by what is installed by now.
        _install("holdfast", ["--no-deps", "--no-build-isolation", "--editable", "."])
        _stamp("self")


def _has_page() -> bool:
    return page.is_built() and page.has_parts()


def _prepare_page() -> None:
    """Build the page; the hook of our own installation then finds it built."""
    if not _has_page():
        _prepare_node()
        if not step("building the page", Way("npm", [[PYTHON, ROOT / "tools/page.py"]])):
            raise PreparationError(f"Nothing can be shown in a browser without it. {MORE}")


def _prepare_oracle() -> None:
    """Install the terminal of browsers, and Node where there is none, unless they are there."""
    if _is_stamped("oracle") and node.node():
        return
    with _alone():
        _prepare_node()
        if not step("installing xterm", Way("npm", [node.install(node.ORACLE)])):
            raise PreparationError(f"Screens cannot be compared without it. {MORE}")
        _stamp("oracle")


def _prepare_node() -> None:
    if node.needs_package() and not _is_stamped("node"):
        _install("node", ["--require-hashes", "-r", str(_lock("node"))])
        _stamp("node")


def _create_venv() -> None:
    try:
        import ensurepip  # noqa: PLC0415 - missing, or an empty shell, where Debian splits it off

        ensurepip.version()
    except (ImportError, AttributeError):
        raise PreparationError(NO_VENV) from None
    python = getattr(sys, "_base_executable", sys.executable)  # not the .venv we may run in
    if not step("creating .venv", Way("venv", [[python, "-m", "venv", "--clear", VENV]])):
        shutil.rmtree(VENV, ignore_errors=True)  # half an environment looks like one to others
        raise PreparationError(f"No virtual environment. {MORE}")
    STAMPS.mkdir()
    _stamp("venv")


def _install_uv() -> None:
    # uv is ten times as fast as pip, but nothing depends on it: where no wheel of it
    # exists, or a mirror does not carry it, everything below is done by pip.
    options = ["--require-hashes", "--only-binary", ":all:", "-r", str(_lock("uv"))]
    if step("installing uv", Way("pip", [_pip(options)])):
        _stamp("uv")


def _install(what: str, options: list[str]) -> None:
    pip = Way("pip", [_pip(options)])
    uv = Way("uv", [[UV, "pip", "install", "--python", PYTHON, *options]])
    # uv does not read pip's settings: a company's mirror may be known to pip alone.
    if not step(f"installing {what}", *([uv, pip] if _is_stamped("uv") else [pip])):
        raise PreparationError(f"Nothing can run without {what}. {MORE}")


def _pip(options: list[str]) -> list[str | Path]:
    return [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *options]


def _lock(name: str) -> Path:
    return ROOT / "locks" / f"{name}.txt"


def _is_stamped(name: str) -> bool:
    try:
        # The program is asked for too: it is a link, and its Python may be gone.
        is_there = (node.ORACLE / "node_modules" if name == "oracle" else PYTHON).exists()
        return (STAMPS / name).read_text() == _digest(name) and is_there
    except OSError:
        return False


def _stamp(*names: str) -> None:
    for name in names:
        (STAMPS / name).write_text(_digest(name))


def _digest(name: str) -> str:
    """Return what a stamp must say: this Python, this place, and what was installed from."""
    content = b""  # of the environment itself: nothing but Python and place
    if name == "self":
        content = (ROOT / "pyproject.toml").read_bytes()
    elif name == "oracle":
        content = (node.ORACLE / "package-lock.json").read_bytes()
    elif name != "venv":
        content = _lock(name).read_bytes()
    return hashlib.sha256(f"{sys.version}\n{VENV}\n".encode() + content).hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Let one preparation of this tree work at a time."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another make …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
