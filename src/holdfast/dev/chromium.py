"""A Chromium that is installed, driven over a pipe; the only file that knows its protocol.

A pipe and no port: nobody else on this machine can drive it.
"""

import asyncio
import base64
import fcntl
import json
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from holdfast.dev.voice import Failed

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "microsoft-edge", "brave-browser",
)  # fmt: skip
ON_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NO_SANDBOX = "No usable sandbox"  # its own words, and then five lines more
WITHOUT_NAMESPACES = (
    "`apt install chromium-sandbox` does without; or have your container allow them"
)
HOW_TO_GET = "install one: `apt install chromium`, `dnf install chromium`, `brew install chromium`"
ANSWER_WITHIN = 30.0  # seconds for one call
START_WITHIN = 30.0
END_WITHIN = 3.0
LARGEST = 256 << 20  # bytes of one message; a screenshot is the largest
# Its descriptors are 3 and 4 by definition; ours have other numbers, and a shell knows only nine.
TRAMPOLINE = (
    "import os,sys; r,w=map(int,sys.argv[1:3]); os.dup2(r,3); os.dup2(w,4); "
    "os.close(r); os.close(w); os.execv(sys.argv[3],sys.argv[3:])"
)

Event = Callable[[str, dict[str, Any]], None]


def find() -> str | None:
    """Return the path of a Chromium."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or next((path for path in ON_MAC if Path(path).exists()), None)


def quiet_flags() -> list[str]:
    """Return what keeps a browser from everything but showing one page."""
    # Its sandbox refuses root, who can do everything anyway.
    as_root = ["--no-sandbox", "--test-type"] if os.geteuid() == 0 else []
    return [
        *as_root,
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-domain-reliability",
        "--disable-sync",
        "--disable-features=Translate,MediaRouter,OptimizationHints",
        "--password-store=basic",
        "--use-mock-keychain",
    ]


class Chromium:
    """A browser without a window, with one page. Use it in an `async with` block."""

    def __init__(self, path: str, heard: Event) -> None:
        self._path = path
        self._heard = heard
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._page: str | None = None
        self._profile = Path(tempfile.mkdtemp(prefix="holdfast-capture-"))
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._said = b""

    async def __aenter__(self) -> Self:
        try:
            await self._start()
            async with asyncio.timeout(START_WITHIN):
                target = await self.call("Target.createTarget", url="about:blank")
                found = await self.call(
                    "Target.attachToTarget", targetId=target["targetId"], flatten=True
                )
            self._page = found["sessionId"]
        except (TimeoutError, OSError) as error:
            await self.close()
            raise self._not_started(self._reason() or str(error) or "no answer") from error
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, method: str, **facts: object) -> dict[str, Any]:
        """Return what the browser answers; raise ConnectionError when it refuses or has died."""
        assert self._writer is not None
        self._number += 1
        message = {"id": self._number, "method": method, "params": facts}
        if self._page is not None:
            message["sessionId"] = self._page
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = waiting
        self._writer.write(json.dumps(message).encode() + b"\0")
        async with asyncio.timeout(ANSWER_WITHIN):
            answer: dict[str, Any] = await waiting
        if "error" in answer:
            raise ConnectionError(f"{method}: {answer['error'].get('message')}")
        found: dict[str, Any] = answer.get("result", {})
        return found

    async def evaluate(self, script: str) -> object:
        """Return the value of an expression in the page."""
        done = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return done.get("result", {}).get("value")

    async def screenshot(self) -> bytes:
        """Return the page as a PNG."""
        shot = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])

    async def close(self) -> None:
        """End the browser and remove what it has written; twice does no harm."""
        if self._writer is not None:
            self._writer.close()  # the end of its pipe is the end of the browser
        if self._process is not None:
            try:
                async with asyncio.timeout(END_WITHIN):
                    await self._process.wait()
            except TimeoutError:
                self._kill(self._process)
                await self._process.wait()
            if self._process.stderr is not None:
                self._said = await self._process.stderr.read()
            self._kill(self._process)  # helpers of one that died at once
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._fail_all()
        shutil.rmtree(self._profile, ignore_errors=True)

    async def _start(self) -> None:
        to_it, ours = os.pipe()
        from_us, its = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (to_it, its)]
        os.close(to_it)
        os.close(its)
        flags = [
            *quiet_flags(),
            "--headless",
            "--remote-debugging-pipe",
            f"--user-data-dir={self._profile}",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--mute-audio",
        ]
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-ISc", TRAMPOLINE, *map(str, high), self._path, *flags,
                stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, pass_fds=high, start_new_session=True,
            )  # fmt: skip
        finally:
            for fd in high:
                os.close(fd)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LARGEST)
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(from_us, "rb")
        )
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(ours, "wb")
        )
        self._writer = asyncio.StreamWriter(transport, protocol, None, loop)
        self._listening = asyncio.create_task(self._listen(reader))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                message = json.loads((await reader.readuntil(b"\0"))[:-1])
                if "id" in message:
                    waiting = self._waiting.pop(message["id"], None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
                else:
                    self._heard(message["method"], message.get("params", {}))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            self._fail_all()

    def _fail_all(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the browser has died"))
                waiting.exception()  # whoever waits still gets it; nobody may
        self._waiting.clear()

    def _not_started(self, reason: str) -> Failed:
        if NO_SANDBOX in reason:
            what = f"{self._path} may not make its sandbox: there are no user namespaces here"
            return Failed(what, WITHOUT_NAMESPACES)
        fix = "start it once by hand to see why; " + HOW_TO_GET
        return Failed(f"{self._path} does not start: {reason}", fix)

    def _reason(self) -> str:
        """Return what it complained last."""
        lines = [line for line in self._said.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def _kill(self, process: Process) -> None:
        try:
            os.killpg(process.pid, 9)
        except ProcessLookupError:
            pass
