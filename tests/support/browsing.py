"""Tabs of a real browser that look at a host."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import msgpack
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    WebSocket,
    expect,
)

import node
from tests.support.home import PATIENCE, ROOT

PATIENCE_MS = PATIENCE * 1000
EVENT = 2  # of socket.io's packets
OPTIONS = [
    "--disable-background-networking",  # a browser of a test talks with nobody else
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-gpu",
    "--mute-audio",
]


def launch(playwright: Playwright) -> Browser:
    """Start the system's Chromium, with a back/forward cache as people have it."""
    found = shutil.which("chromium")
    assert found is not None, "there is no chromium here: tools/prepare.py test installs it"
    is_root = os.geteuid() == 0
    return playwright.chromium.launch(
        executable_path=found,
        args=[*OPTIONS, *(["--no-sandbox"] if is_root else [])],
        ignore_default_args=["--disable-back-forward-cache"],
    )


def use_our_node() -> None:
    """Have Playwright run in a Node that is known to work: its own wants a library."""
    program = node.node()
    assert program is not None, "there is no Node here: tools/prepare.py test installs one"
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(program)


class Tab:
    """One tab: what a person sees in it and does, and what it sends."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.sent: list[str] = []
        """The names of the events it sent."""
        self.tries = 0
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("websocket", self._opened)

    def open(self, url: str) -> None:
        """Go to an address and wait for the host to say what it has."""
        self.page.goto(url)
        self.is_connected()

    # -- seeing

    def text(self) -> str:
        """Everything in the terminal."""
        return str(self.page.evaluate("holdfast.text()"))

    def shows(self, text: str) -> None:
        """Wait until the terminal has a text."""
        has = "(text) => holdfast.text().includes(text)"
        self.page.wait_for_function(has, arg=text)

    def shows_again(self, text: str) -> None:
        """Wait until the terminal has a text twice."""
        has = "(text) => holdfast.text().split(text).length > 2"
        self.page.wait_for_function(has, arg=text)

    @property
    def badge(self) -> Any:
        return expect(self.page.locator("footer .badge"), "the badge")

    @property
    def warning(self) -> Any:
        return expect(self.page.get_by_role("alert"), "the banner")

    @property
    def hint(self) -> Any:
        return expect(self.page.locator(".hint"), "the hint")

    @property
    def reconnect(self) -> Any:
        return self.page.get_by_role("button", name="Reconnect to the host")

    def is_connected(self) -> None:
        self.badge.to_have_text("Connected", timeout=PATIENCE_MS)

    def may_type(self) -> None:
        """Wait until the session is there and is this tab's: what is typed before goes nowhere."""
        expect(self.page.locator("footer")).to_contain_text("yours", timeout=PATIENCE_MS)

    def is_disconnected(self, why: str) -> None:
        """Wait for badge and banner, with the reason in both."""
        self.badge.to_have_text("Disconnected", timeout=PATIENCE_MS)
        self.badge.to_have_attribute("title", why)
        self.warning.to_contain_text(why)
        expect(self.reconnect).to_be_visible()

    def shot(self, name: str) -> None:
        """Keep a picture for whoever wants to see how it looks."""
        directory = ROOT / "artifacts" / "page"
        directory.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=directory / f"{name}.png")

    # -- doing

    def type(self, text: str) -> None:
        self.page.locator(".xterm-helper-textarea").focus()
        self.page.keyboard.type(text)

    def violations(self) -> list[str]:
        """Return what is wrong for people who do not see, or use no mouse."""
        script = (ROOT / "web/node_modules/axe-core/axe.min.js").read_text()
        self.page.evaluate(script)
        found = self.page.evaluate("axe.run()")["violations"]
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]

    # -- noting

    def _said(self, message: ConsoleMessage) -> None:
        # What the browser itself says no page can prevent: that a host is not there, and that
        # what is no page has no icon.
        own = re.compile(r"ERR_|WebSocket connection|/favicon\.ico")
        text = f"{message.text} {message.location['url']}"
        if message.type == "error" and not own.search(text):
            self.complaints.append(text)

    def _opened(self, socket: WebSocket) -> None:
        self.tries += 1
        socket.on("framesent", self._noted)

    def _noted(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            packet = msgpack.unpackb(frame)
            if packet["type"] == EVENT:
                self.sent.append(packet["data"][0])


def bash(path: Path) -> list[str]:
    """Return a shell whose prompt is `$ ` for everybody."""
    rc = path / "rc"
    rc.write_text("PS1='$ '\nunset PROMPT_COMMAND\n")
    return ["--", "bash", "--noprofile", "--rcfile", str(rc)]
