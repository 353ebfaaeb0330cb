"""The host that shows things to whoever sits here: the one that runs, or one that is started."""

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from holdfast.cli.exits import FAILED, Exit
from holdfast.config.paths import Paths
from holdfast.errors import IoFailed, TimedOut
from holdfast.host import records
from holdfast.host.places import record_directory, token_file
from holdfast.host.records import Record
from holdfast.host.tokens import Tokens

HERE = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
STARTS_WITHIN = 30.0  # seconds, on a machine that has just booted


def living(paths: Paths) -> Record:
    """Return a host that serves this machine; one is started if none does."""
    with _alone(paths):  # two windows opened at once share one host
        return _running(paths) or _started(paths)


def revived(record: Record, paths: Paths) -> Record:
    """Return the host of a page that is still open, started again where it was if it has ended.

    An idle host ends; but whoever comes back to a window should not have to start it by hand.
    Raises IoFailed when it cannot be there again: the page looks for it nowhere else.
    """
    address = urlsplit(record.url).hostname or ""
    with _alone(paths):
        for each in records.running(record_directory(paths)):
            if each.url == record.url:
                return each
        if _is_free(address, record.port):
            base = [] if record.base == "/" else ["--base-path", record.base]
            words = ("--listen", address, "--port", str(record.port), *base)
            started = _started(paths, *words)
            if started.url == record.url:
                return started
            os.kill(started.pid, signal.SIGTERM)  # somebody was faster, and it is elsewhere
    raise IoFailed(
        action=f"starting the host at port {record.port} again",
        reason="something else listens there by now",
        remedy="end that, or close this window and type `hold window`",
    )


def address(record: Record, paths: Paths, session: str) -> tuple[str, str]:
    """Return where its page, or that of a session, is; and the code in it, which lets one in."""
    code = Tokens(token_file(paths), uid=os.getuid()).issue_code(time.time())
    return f"{record.url}#/{f's/{session}' if session else ''}?code={code}", code


def is_used(code: str, paths: Paths) -> bool:
    """Return whether a page has come with that code, or none can any more."""
    return not Tokens(token_file(paths), uid=os.getuid()).is_waiting(code, time.time())


def _is_free(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, port), family=family).close()
    except OSError:
        return False
    return True


def _running(paths: Paths) -> Record | None:
    # Others may have a certificate, or a proxy, that a window here knows nothing of.
    found = records.running(record_directory(paths))
    return next((record for record in found if record.url.startswith(HERE)), None)


def _started(paths: Paths, *words: str) -> Record:
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "holdfast", "host", "--json", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,  # a file, and no pipe: it outlives us
            start_new_session=True,
        )
        assert process.stdout is not None
        with process.stdout:
            is_up, _, _ = select.select([process.stdout], [], [], STARTS_WITHIN)
            line = process.stdout.readline() if is_up else b""
        if not is_up:
            process.kill()
            raise TimedOut(action="starting a host", seconds=STARTS_WITHIN)
        if not line:
            process.wait()
            errors.seek(0)
            sys.stderr.write(errors.read().decode(errors="replace"))
            raise Exit(FAILED)
    pid = json.loads(line)["pid"]
    process.returncode = 0  # it lives on without us: no reason for a warning
    return next(each for each in records.running(record_directory(paths)) if each.pid == pid)


@contextmanager
def _alone(paths: Paths) -> Iterator[None]:
    paths.prepare(os.getuid())
    lock = os.open(paths.runtime / "host.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
