"""Evidence of an app: how it looks, what it said and how long it took, as files."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from holdfast.dev.chromium import HOW_TO_GET, Chromium, find
from holdfast.dev.showing import Look
from holdfast.dev.voice import Failed

LOAD_WITHIN = 30.0  # seconds until the page has loaded
SETTLE_WITHIN = 10.0  # seconds after that in which it may go on to fetch things
QUIET = 0.5  # seconds without a request that make a settled page
MOST_LINES = 10_000
# Two frames: what was decided last is on the screen.
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
MEASURED = """JSON.stringify({
  title: document.title, url: location.href,
  paint: Object.fromEntries(performance.getEntriesByType("paint").map(e => [e.name, e.startTime])),
})"""


@dataclass(kw_only=True)
class Evidence:
    """What was seen, as it is written down."""

    title: str = ""
    url: str = ""
    status: int | None = None
    errors: list[dict[str, str]] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    """What the page said, line by line."""
    screenshot: bytes = b""

    def fault(self, kind: str, text: str, where: str = "") -> None:
        """Something is wrong in the app."""
        if len(self.errors) < MOST_LINES:
            self.errors.append({"kind": kind, "text": text, "where": where})
        self.line(f"{kind}: {text}{f' ({where})' if where else ''}")

    def line(self, text: str) -> None:
        if len(self.lines) < MOST_LINES:
            self.lines.append(text)


async def capture(url: str, look: Look, evidence: Evidence) -> None:
    """Load a page, let it settle and look at it; raise Failed if there is nothing to look with."""
    path = find()
    if path is None:
        raise Failed("there is no Chromium here to look with", HOW_TO_GET)
    begin = time.monotonic()
    watcher = _Watcher(evidence, url)
    async with Chromium(path, watcher.heard) as browser:
        watcher.dismiss = lambda: _dismiss(browser)
        try:
            await _load(browser, url, look, evidence, watcher)
        except (ConnectionError, TimeoutError) as error:
            evidence.fault("browser", str(error) or "it does not answer", url)
        evidence.timings["total"] = _since(begin)


async def _load(
    browser: Chromium, url: str, look: Look, evidence: Evidence, watcher: "_Watcher"
) -> None:
    for domain in ("Page", "Runtime", "Network", "Log", "Inspector"):
        await browser.call(f"{domain}.enable")
    await browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=look.width,
        height=look.height,
        deviceScaleFactor=1,
        mobile=False,
    )
    begin = time.monotonic()
    navigated = await browser.call("Page.navigate", url=url)
    if reason := navigated.get("errorText"):
        evidence.fault("load", f"the page cannot be loaded: {reason}", url)
    try:
        async with asyncio.timeout(LOAD_WITHIN):
            await watcher.loaded.wait()
        evidence.timings["load"] = _since(begin)
    except TimeoutError:
        evidence.fault("load", f"not loaded after {LOAD_WITHIN:g} s", url)
    try:
        async with asyncio.timeout(SETTLE_WITHIN):
            await watcher.quiet.wait()
    except TimeoutError:
        pass  # what never ends is not waited for
    await browser.call("Runtime.evaluate", expression=PAINTED, awaitPromise=True)
    evidence.timings["settled"] = _since(begin)
    evidence.screenshot = await browser.screenshot()
    measured = json.loads(str(await browser.evaluate(MEASURED)))
    evidence.title, evidence.url = measured["title"], measured["url"]
    for name, moment in measured["paint"].items():
        evidence.timings[name.replace("-", "_")] = round(float(moment), 1)


async def _dismiss(browser: Chromium) -> None:
    await browser.call("Page.handleJavaScriptDialog", accept=False)


class _Watcher:
    """Makes evidence of what the browser tells."""

    def __init__(self, evidence: Evidence, url: str) -> None:
        self._evidence = evidence
        self._url = url
        self._requests: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.loaded = asyncio.Event()
        self.quiet = asyncio.Event()
        """Nothing has been fetched for a while."""
        self.dismiss: Callable[[], Any] | None = None
        self._rows: dict[str, Callable[[dict[str, Any]], None]] = {
            "Page.loadEventFired": lambda _: self.loaded.set(),
            "Page.javascriptDialogOpening": self._dialog,
            "Runtime.consoleAPICalled": self._console,
            "Runtime.exceptionThrown": self._exception,
            "Log.entryAdded": self._entry,
            "Network.requestWillBeSent": self._request,
            "Network.responseReceived": self._response,
            "Network.loadingFinished": self._finished,
            "Network.loadingFailed": self._failed,
            "Inspector.targetCrashed": lambda _: evidence.fault("crash", "the page crashed"),
        }

    def heard(self, method: str, facts: dict[str, Any]) -> None:
        if (row := self._rows.get(method)) is not None:
            row(facts)

    def _dialog(self, facts: dict[str, Any]) -> None:
        self._evidence.line(f"{facts.get('type')} dialog: {facts.get('message')}")
        if self.dismiss is not None:  # or the page would wait for an answer for ever
            task = asyncio.create_task(self.dismiss())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _console(self, facts: dict[str, Any]) -> None:
        said = " ".join(_text_of(each) for each in facts.get("args", ()))
        self._evidence.line(f"console.{facts.get('type')}: {said}")

    def _exception(self, facts: dict[str, Any]) -> None:
        details = facts.get("exceptionDetails", {})
        thrown = details.get("exception", {})
        text = thrown.get("description") or thrown.get("value") or details.get("text", "")
        is_rejection = "in promise" in details.get("text", "")
        where = f"{details.get('url', '')}:{details.get('lineNumber', -1) + 1}"
        self._evidence.fault("rejection" if is_rejection else "exception", str(text), where)

    def _entry(self, facts: dict[str, Any]) -> None:
        entry = facts.get("entry", {})
        if entry.get("source") != "network":  # that is told by the requests themselves
            self._evidence.line(f"{entry.get('source')}.{entry.get('level')}: {entry.get('text')}")

    def _request(self, facts: dict[str, Any]) -> None:
        url = str(facts["request"]["url"])
        if not url.startswith("data:"):
            self._requests[facts["requestId"]] = url
            self._wait_for_quiet()

    def _response(self, facts: dict[str, Any]) -> None:
        url, status = facts["response"]["url"], facts["response"]["status"]
        is_page = facts.get("type") == "Document" and urlsplit(url).path == urlsplit(self._url).path
        if is_page and self._evidence.status is None:
            self._evidence.status = status
        if status >= 400 and urlsplit(url).path != "/favicon.ico":  # browsers ask for it unasked
            self._evidence.fault("load", f"{url} was answered with {status}")
        if facts.get("type") == "EventSource":
            self._over(facts)

    def _finished(self, facts: dict[str, Any]) -> None:
        self._over(facts)

    def _failed(self, facts: dict[str, Any]) -> None:
        url = self._requests.get(facts["requestId"], "")
        if not facts.get("canceled") and url and urlsplit(url).path != "/favicon.ico":
            self._evidence.fault("load", f"{url} could not be loaded: {facts.get('errorText')}")
        self._over(facts)

    def _over(self, facts: dict[str, Any]) -> None:
        self._requests.pop(facts["requestId"], None)
        self._wait_for_quiet()

    def _wait_for_quiet(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.quiet.clear()
        if not self._requests:
            self._timer = asyncio.get_running_loop().call_later(QUIET, self.quiet.set)


def write(folder: Path, evidence: Evidence, said: list[str]) -> bool:
    """Write all files; return whether nothing was wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    is_fine = not evidence.errors and bool(evidence.screenshot)
    result = {
        "ok": is_fine,
        "title": evidence.title,
        "url": evidence.url,
        "status": evidence.status,
        "errors": evidence.errors,
        "timings_ms": evidence.timings,
    }
    if evidence.screenshot:
        (folder / "screenshot.png").write_bytes(evidence.screenshot)
    else:  # one of an earlier run would lie
        (folder / "screenshot.png").unlink(missing_ok=True)
    _write_lines(folder / "app.log", evidence.lines)
    _write_lines(folder / "cli.log", said)
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (folder / "result.json").write_text(text + "\n", errors="replace")
    return is_fine


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), errors="replace")


def _text_of(value: dict[str, Any]) -> str:
    if "value" in value:
        return value["value"] if isinstance(value["value"], str) else json.dumps(value["value"])
    return str(value.get("description") or value.get("unserializableValue") or value.get("type"))


def _since(begin: float) -> float:
    return round((time.monotonic() - begin) * 1000, 1)
