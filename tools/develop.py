"""Show the page of `hold host` while it is written: `develop.py [words for hold dev]`.

The host shows real sessions, Vite serves the page and swaps what changes in it, and `hold dev`
has both under one address.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import node
from page import MODULES, WEB
from steps import say

HOLD = (sys.executable, "-m", "holdfast")
VITE = MODULES / "vite" / "bin" / "vite.js"


def main(words: Sequence[str]) -> int:
    """Run until the window is closed, or Ctrl-C; return the exit code."""
    # The one of `make run`: a page without a session has little to show.
    session = [*HOLD, "run", "--detach", "--key", "make-run"]
    subprocess.run(session, check=True, stdout=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what we started ends, too
    with host() as url:
        parts = urlsplit(url)
        say(f"log in with  {parts.fragment.partition('code=')[2]}")
        vite = [str(node.node()), str(VITE), "--host", "127.0.0.1"]
        command = [*HOLD, "dev", str(WEB), *words, "--", *vite]
        environ = node.environment() | {"PAGE_HOST": f"{parts.scheme}://{parts.netloc}"}
        with subprocess.Popen(command, env=environ) as shown:
            try:
                return shown.wait()
            except KeyboardInterrupt:  # which it has heard, too
                return 0
            finally:
                shown.terminate()


@contextmanager
def host() -> Iterator[str]:
    """Yield the address of a host, with the code that lets one browser in."""
    command = [*HOLD, "host", "--port", "0", "--idle-timeout", "off", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            sys.exit(1)  # it has said why
        try:
            yield str(json.loads(line)["url"])
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
