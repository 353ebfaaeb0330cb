"""How an address is shown: in a native window, a bare browser, a browser, or not at all."""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.dev.chromium import find, quiet_flags

WINDOW, BROWSER, HEADLESS = "window", "browser", "headless"
NATIVE = "holdfast.window"  # run as a program, never imported: its loop wants a thread for itself
SETTLED = 3.0  # seconds; a window that ends within could not be shown, it was not closed
END_WITHIN = 3.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a window is wanted."""

    width: int = 1280
    height: int = 800
    title: str = ""


class Shown:
    """What shows the address; `closed` returns when a person has closed it."""

    def __init__(self, way: str, process: Process | None = None, profile: Path | None = None):
        self.way = way
        self._process = process
        self._profile = profile

    async def closed(self) -> None:
        """Return when the window is closed; never for what we cannot see being closed."""
        if self._process is None:
            await asyncio.Event().wait()
        else:
            await self._process.wait()

    async def close(self) -> None:
        """Close it; twice does no harm."""
        if self._process is not None and self._process.returncode is None:
            await _ended(self._process)
        if self._profile is not None:
            shutil.rmtree(self._profile, ignore_errors=True)


def has_display(environ: Mapping[str, str]) -> bool:
    """Return whether a window could appear anywhere."""
    return sys.platform == "darwin" or any(
        environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


async def show(
    url: str, wanted: str, look: Look, environ: Mapping[str, str]
) -> tuple[Shown, list[str]]:
    """Show *url* as wanted ("" is the best there is); return it, and why not better."""
    missed: list[str] = []
    if wanted == HEADLESS:
        return Shown(HEADLESS), missed
    if not has_display(environ):
        return Shown(HEADLESS), ["there is no display here"]
    if wanted != BROWSER:
        if has_native_window():
            native = await _native(url, look, environ)
            if isinstance(native, Shown):
                return native, missed
            missed.append(native)
        if chromium := find():
            if bare := await _bare(chromium, url, look, environ):
                return bare, missed
            missed.append(f"{chromium} could not show a window")
        elif wanted == WINDOW and not has_native_window():
            missed.append("a window needs the extra `holdfast[window]`, or a Chromium")
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open") or find()
    if opener is None:
        return Shown(HEADLESS), [*missed, "there is no browser here"]
    process = await asyncio.create_subprocess_exec(opener, url, **_quiet(environ))
    # It hands the address over and ends; one that stays is the browser, and not ours to end.
    _keep(asyncio.create_task(process.wait()))
    return Shown(BROWSER), missed


_kept: set[asyncio.Task[Any]] = set()  # a task that nobody holds may vanish


def _keep(task: asyncio.Task[Any]) -> None:
    _kept.add(task)
    task.add_done_callback(_kept.discard)


def has_native_window() -> bool:
    """Return whether there is a window of our own to show it in."""
    return importlib.util.find_spec("PySide6") is not None


async def _native(url: str, look: Look, environ: Mapping[str, str]) -> Shown | str:
    """Return a window of our own once it is on the screen, or why it is not.

    It closes with its stdin, so it does not outlive us.
    """
    words = [f"--width={look.width}", f"--height={look.height}"]
    words += [f"--title={look.title}"] if look.title else []
    heard = _quiet(environ) | dict.fromkeys(("stdin", "stdout"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", NATIVE, "-", *words, **heard
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(url.encode() + b"\n")
    async for line in process.stdout:
        told = json.loads(line)
        if told.get("event") == "shown":
            # What else it tells is for nobody, but has to go somewhere.
            _keep(asyncio.create_task(process.stdout.read()))
            return Shown(WINDOW, process)
        if told.get("event") == "trouble":
            return f"{told['what']} ({told['fix']})"
    return f"the window has died ({await process.wait()})"


async def _bare(chromium: str, url: str, look: Look, environ: Mapping[str, str]) -> Shown | None:
    """Return a Chromium with nothing but the page; None if it ends at once."""
    # A profile of its own: a browser that runs would take the address, and we lose its window.
    profile = Path(tempfile.mkdtemp(prefix="holdfast-dev-"))
    process = await asyncio.create_subprocess_exec(
        chromium,
        *quiet_flags(),
        f"--window-size={look.width},{look.height}",
        f"--app={url}",
        f"--user-data-dir={profile}",
        **_quiet(environ),
    )
    shown = Shown(WINDOW, process, profile)
    try:
        async with asyncio.timeout(SETTLED):
            code = await process.wait()
    except TimeoutError:
        return shown
    if code == 0:
        return shown
    await shown.close()
    return None


def _quiet(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return how it is started: a Ctrl-C is for us, and its words are for nobody."""
    silent = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.DEVNULL)
    return {**silent, "env": dict(environ), "start_new_session": True}


async def _ended(process: Process) -> None:
    """End a window with all its processes; a browser has many."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            async with asyncio.timeout(END_WITHIN):
                await process.wait()
        except TimeoutError:
            continue
        return
