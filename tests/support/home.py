"""A Holdfast of a test's own: its home, its keeper, and the end of both."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from holdfast.config import Paths
from holdfast.keeper.ask import Gone, ask
from holdfast.protocol.messages import Create, Get, Output, SessionInfo
from tests.support.asking import Client, connect

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds for anything to come true on a busy machine

T = TypeVar("T")


class Home:
    """One HOLDFAST_HOME, and what a person or a script would do in it."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")}
        # A reader takes half a second of a core to start: for those alone who test it.
        quick = {"HOLDFAST_HOME": str(directory), "HOLDFAST_READER_ENABLED": "off"}
        self.environ = {**kept, **quick, **(settings or {})}
        self.paths = Paths.find(self.environ, os.getuid())
        self.mark = str(directory)
        """A value in the launch spec, by which this home's programs are told from others."""

    # -- as a person

    def hold(self, *arguments: str, typed: bytes | None = None, check: bool = True) -> str:
        """Run a `hold` command and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", *arguments],
            env=self.environ,
            cwd=ROOT,
            input=typed,
            stdin=subprocess.DEVNULL if typed is None else None,
            capture_output=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"hold {arguments}: {done.returncode}\n{done.stderr.decode()}")
        return done.stdout.decode(errors="replace")

    def failing(self, *arguments: str) -> str:
        """Run a `hold` command that fails and return what it complained."""
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", *arguments],
            env=self.environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode, f"hold {arguments} did not fail"
        return done.stderr.decode(errors="replace")

    # -- as a script

    def client(self) -> Client:
        return connect(self.paths, self.environ)

    def create(self, client: Client, *argv: str, **more: Any) -> SessionInfo:
        """Start a program and return its session."""
        return client.call(self.create_request(*argv, **more)).session

    def create_request(
        self, *argv: str, key: str = "", cwd: str = "/", creation: str = "", **more: Any
    ) -> Create:
        env = {os.fsencode(k): os.fsencode(v) for k, v in self.environ.items()}
        words = [os.fsencode(word) for word in argv]
        return Create(argv=words, cwd=os.fsencode(cwd), env=env, key=key, creation=creation, **more)

    def output(self, client: Client, session: str, since: int = 0) -> bytes:
        """Return everything a session printed up to now."""
        data = bytearray()
        while True:
            chunk = client.call(Output(session=session, since=since + len(data)))
            data += chunk.data
            if since + len(data) >= chunk.end:
                return bytes(data)

    def offset(self, client: Client, session: str) -> int:
        return client.call(Get(session=session)).offset

    def state(self, client: Client, session: str) -> str:
        return client.call(Get(session=session)).state

    def ended(self, client: Client, session: str) -> SessionInfo:
        """Wait for the end of a session."""
        return until(lambda: _over(client.call(Get(session=session))), "the session to end")

    # -- as the operating system

    def status(self) -> dict[str, Any]:
        return self.ask("status")

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        """Ask the keeper on its own socket."""
        return ask(str(self.paths.keeper_socket), {"op": op, **facts}, 30.0)

    @contextmanager
    def asking(self, op: str, **facts: Any) -> Iterator[Future[dict[str, Any]]]:
        """Ask the keeper and go on; what is yielded will have the answer."""
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(self.ask, op, **facts)

    def running(self) -> dict[str, Any]:
        """Wait until a daemon serves, and return the status."""

        def serving() -> dict[str, Any] | None:
            try:
                status = self.status()
            except (OSError, Gone, TimeoutError):
                return None
            return status if status["daemon"]["state"] == "running" else None

        return until(serving, "a daemon to serve")

    def with_spare(self) -> dict[str, Any]:
        """Wait until a spare daemon stands by as well."""

        def spared() -> dict[str, Any] | None:
            status = self.running()
            return status if status["daemon"]["spare"] else None

        return until(spared, "a spare daemon")

    def kill_daemon(self) -> int:
        """SIGKILL the daemon and return the pid it had."""
        pid = self.running()["daemon"]["pid"]
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    def next_daemon(self, previous: int) -> int:
        """Wait for another daemon than *previous*, without the pauses after many deaths."""

        def fresh() -> int | None:
            daemon = self.ask("try")["daemon"]
            return daemon["pid"] if daemon["state"] == "running" else None

        return until(
            lambda: pid if (pid := fresh()) not in (None, previous) else None, "another daemon"
        )

    def another_daemon(self, old: int) -> None:
        """Wait until a daemon other than *old* serves."""
        until(lambda: self.running()["daemon"]["pid"] != old, "another daemon")

    def another_keeper(self, old: int) -> None:
        """Wait until a keeper other than *old* has a daemon that serves."""
        until(lambda: self.running()["keeper"]["pid"] != old, "another keeper")

    def kill_keeper(self) -> int:
        pid = self.running()["keeper"]["pid"]
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    def power_off(self) -> None:
        """SIGKILL keeper, daemon and spare, none of which notices the end of another."""
        pids = sorted(self.pids())
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                os.kill(pid, number)
        until(lambda: not self.pids(), "keeper and daemons to be gone")

    def answers(self) -> bool:
        """Whether a keeper answers."""
        try:
            return bool(self.status())
        except (OSError, Gone, TimeoutError):
            return False

    def open_files(self, pid: int) -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    def pids(self) -> set[int]:
        """Pids of this home's programs right now."""
        return set(_processes_of(self.mark))

    def keepers(self) -> set[int]:
        return {pid for pid in self.pids() if b"/keeper/__main__.py" in _command_of(pid)}

    def stop(self) -> None:
        """End keeper, daemon and sessions; fail if one is left."""
        try:
            ask(str(self.paths.keeper_socket), {"op": "stop", "grace": 0.2}, 30.0)
        except (FileNotFoundError, ConnectionRefusedError):
            pass
        self._sweep()
        left = self.processes()
        described = [_described(pid) for pid in left]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == [], f"left over: {described}"

    def _sweep(self) -> None:
        """End what programs left behind: a flood that ignores its hangup would go on for ever."""
        name = "HOLDFAST_HOME" if "HOLDFAST_HOME" in self.environ else "XDG_STATE_HOME"
        mark = f"{name}={self.environ[name]}".encode()
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                words = (directory / "environ").read_bytes().split(b"\0")
                if mark in words and b"/holdfast/" not in (directory / "cmdline").read_bytes():
                    os.kill(int(directory.name), signal.SIGKILL)
            except OSError:
                continue  # it has just ended

    def processes(self) -> list[int]:
        """Pids of keepers and daemons of this home."""

        def gone() -> bool:
            return not self.pids()

        try:
            until(gone, "the last process to end", patience=5)
        except AssertionError:
            pass
        return sorted(self.pids())


def until(look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Return the first true thing that *look* returns."""
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain for {what}"
        time.sleep(0.002)


@contextmanager
def running_home(directory: Path, settings: Mapping[str, str] | None = None) -> Iterator[Home]:
    home = Home(directory, settings)
    try:
        yield home
    finally:
        home.stop()


def children_of(pid: int) -> list[int]:
    """Pids of its children, zombies too."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _described(pid: int) -> str:
    words = [word for word in _command_of(pid).decode().split("\0") if not word.startswith("{")]
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[:2]
    return f"{pid} {words} {state} in {Path(f'/proc/{pid}/wchan').read_text()}"


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _over(info: SessionInfo) -> SessionInfo | None:
    return info if info.state in ("exited", "lost") else None


def _processes_of(mark: str) -> Iterator[int]:
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            words = _command_of(int(directory.name)).split(b"\0")
            if any(word.endswith(b"/__main__.py") for word in words) and any(
                json.dumps(mark).encode() in word for word in words
            ):
                yield int(directory.name)
