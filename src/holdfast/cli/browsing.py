"""An address in a browser of this machine, without showing its code to every list of processes."""

import json
import os
import subprocess
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

READ_WITHIN = 30.0  # seconds for a browser to start and read the file
LOOK_EVERY = 0.1
ENDS_WITHIN = 5.0


@contextmanager
def redirect(url: str, directory: Path) -> Iterator[str]:
    """Provide an address that leads to *url*: of a file that nobody else can read."""
    page = (
        f"<!doctype html><meta charset=utf-8><script>location.replace({json.dumps(url)})</script>"
    )
    fd, name = tempfile.mkstemp(prefix="open-", suffix=".html", dir=directory)  # mode 0600
    try:
        with os.fdopen(fd, "w") as file:
            file.write(page)
        yield Path(name).as_uri()
    finally:
        Path(name).unlink(missing_ok=True)


def open_default(url: str, directory: Path, is_read: Callable[[], bool]) -> bool:
    """Open the browser of the person; return whether it has come."""
    failed = threading.Event()

    def open_browser() -> None:
        try:
            is_open = webbrowser.open(where)
        except (webbrowser.Error, OSError):
            is_open = False
        if not is_open:
            failed.set()

    with redirect(url, directory) as where:
        # A browser in a terminal would not come back before it is left.
        threading.Thread(target=open_browser, daemon=True).start()
        deadline = time.monotonic() + READ_WITHIN
        while not is_read() and time.monotonic() < deadline:
            if failed.wait(LOOK_EVERY):
                return False
    return True


def open_app(argv: Sequence[str], url: str, directory: Path, is_read: Callable[[], bool]) -> int:
    """Run a Chromium that shows nothing but *url*; return how it ended."""
    with redirect(url, directory) as where:
        silent = subprocess.DEVNULL
        process = subprocess.Popen(
            [*argv, f"--app={where}"],
            stdin=silent,
            stdout=silent,
            stderr=silent,
            start_new_session=True,  # a Ctrl-C is for us
        )
        try:
            code = process.wait()
            # One that ran already has taken the address, and not yet read the file.
            deadline = time.monotonic() + READ_WITHIN
            while code == 0 and not is_read() and time.monotonic() < deadline:
                time.sleep(LOOK_EVERY)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(ENDS_WITHIN)
    return code
