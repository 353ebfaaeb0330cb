"""A window from outside: its process started, heard, told what to do, and ended.

Blocking, and without Qt. The address goes through a pipe that stays open: whoever holds it drives
the window, and with its end the window closes, so none outlives the one who wanted it.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Self

from holdfast.window import display, missing
from holdfast.window.asked import FROM_STDIN, Asked, Look, words_of

CLOSES_WITHIN = 5.0  # seconds, with what it has to write down
ENDS_WITHIN = 2.0
REMEMBERED = 50  # lines of what it said on stderr, for when it dies


class NotShown(Exception):
    """No window appeared: why, and what helps."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def trouble(environ: Mapping[str, str]) -> NotShown | None:
    """Return what is known to keep a window from being shown, without starting one."""
    if importlib.util.find_spec("PySide6") is None:
        return NotShown("a window needs an extra part", missing.EXTRA)
    if blind := display.trouble(environ):
        return NotShown(blind, "open it where there is a display")
    return None


class Opened:
    """The process of a window. Use it in a `with` block."""

    def __init__(self, url: str, look: Look, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            # -P: a folder with a `json.py` in it is no reason to fail.
            [sys.executable, "-P", "-m", "holdfast.window", *words_of(Asked(FROM_STDIN, look))],
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if look.debug else subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for us
        )
        self._said: deque[str] = deque(maxlen=REMEMBERED)
        self._saying = threading.Thread(target=self._keep_last_words, daemon=True)
        self._saying.start()
        self._lock = threading.Lock()
        self.say(url.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def wait_shown(self) -> None:
        """Return once it is on the screen; raise NotShown."""
        for event in self.events():
            if event.get("event") == "shown":
                return
            if event.get("event") == "trouble":
                raise NotShown(str(event["what"]), str(event["fix"]))
        self.close()
        raise NotShown(f"a window cannot be shown: {self.last_words()}", "see `--debug`")

    def events(self) -> Iterator[dict[str, Any]]:
        """Return what it tells, until it is gone."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield json.loads(line)

    def say(self, line: bytes) -> None:
        """Pass a command on."""
        assert self._process.stdin is not None
        with self._lock:
            try:
                self._process.stdin.write(line + b"\n")
                self._process.stdin.flush()
            except (OSError, ValueError):
                pass  # it has gone, as `events` will say

    def say_no_more(self) -> None:
        """Have it close; twice does no harm."""
        assert self._process.stdin is not None
        with self._lock:
            try:
                self._process.stdin.close()
            except OSError:
                pass

    def close(self) -> int:
        """Close it and return how it ended; twice does no harm."""
        self.say_no_more()
        for patience, number in ((CLOSES_WITHIN, signal.SIGTERM), (ENDS_WITHIN, signal.SIGKILL)):
            try:
                self._process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, number)
        self._process.wait()
        self._saying.join(ENDS_WITHIN)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return self._process.returncode

    def last_words(self) -> str:
        """Return how it ended, as well as that can be told."""
        code = self._process.returncode
        if code is not None and code < 0:
            ended = f"its process was ended by {signal.Signals(-code).name}"
        else:
            ended = f"its process ended with {code}"
        return f"{ended} ({self._said[-1]})" if self._said else ended

    def said(self) -> list[str]:
        """Return the last of what it has said on stderr."""
        return list(self._said)

    def _keep_last_words(self) -> None:
        if self._process.stderr is not None:
            for line in self._process.stderr:
                if text := line.decode(errors="replace").strip():
                    self._said.append(text)
