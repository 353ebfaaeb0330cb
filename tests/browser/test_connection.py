"""Tabs that are cut off, put aside, reloaded and left alone, and how they come back."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from holdfast.protocol.messages import List
from tests.support.browsing import Tab, bash
from tests.support.home import Home
from tests.support.hosting import HostProcess, running_host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LOST = "Lost connection to the host."
IDLE = "Host timed out after inactivity."
SUPERSEDED = "Connection superseded by another tab."

# 100,000 lines in a few seconds: enough to be in the middle of it, too few to be skipped.
FLOOD = """\
import sys, time
for block in range(1000):
    for line in range(100):
        sys.stdout.write(f"line {block * 100 + line:06d} {'x' * 30}\\n")
    sys.stdout.flush()
    time.sleep(0.003)
print("the end")
"""


def log_of(home: Home) -> bytes:
    """Return everything that the only session printed."""
    with home.client() as client:
        session = client.call(List()).sessions[0].id
        return home.output(client, session)


def lines_of(log: bytes) -> list[str]:
    """Return what a terminal makes of a log of plain lines."""
    text = re.sub(r"\x1b\[\?2004[hl]\r?", "", log.decode())
    return text.replace("\r\n", "\n").split("\n")


def shown_lines(tab: Tab) -> list[str]:
    return tab.text().rstrip("\n").split("\n")


def test_a_reload_in_the_middle_of_a_flood_shows_what_the_log_has(
    tab: Tab, home: Home, tmp_path: Path
) -> None:
    """T4: no line twice, none missing between the picture and what comes after it."""
    program = tmp_path / "flood.py"
    program.write_text(FLOOD)
    tab.type(f"{sys.executable} {program}\n")
    tab.shows("line 00")
    tab.page.reload()
    tab.shows("line 0")
    assert b"the end" not in log_of(home)
    tab.shows("the end\n$")
    shown = shown_lines(tab)
    assert len(shown) >= 10_000
    assert shown == lines_of(log_of(home))[-len(shown) :]
    tab.shot("flood")


def test_without_a_reload_a_tab_goes_on_in_the_middle_of_a_flood(
    tab: Tab, home: Home, host: HostProcess, tmp_path: Path
) -> None:
    """T4: exactly where its terminal was; nothing is painted anew."""
    program = tmp_path / "flood.py"
    program.write_text(FLOOD)
    tab.type(f"{sys.executable} {program}\n")
    tab.shows("line 00")
    host.kill()
    tab.is_disconnected(LOST)
    host.start()
    tab.is_connected()
    tab.shows("the end\n$")
    shown = shown_lines(tab)
    assert len(shown) >= 10_000
    assert shown == lines_of(log_of(home))[-len(shown) :]


def test_a_second_tab_takes_the_seat_and_the_first_says_so(
    tab: Tab, host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    """T26: what is typed into the tab that is put aside is neither sent nor kept."""
    tab.type("echo before\n")
    tab.shows("\nbefore")
    second = new_tab()
    second.open(host.url)
    second.shows("before")
    tab.is_disconnected(SUPERSEDED)
    tab.shot("superseded")
    sent, tries = len(tab.sent), tab.tries
    tab.type("echo lost\n")
    tab.hint.to_contain_text("Not connected: nothing was sent.")
    expect(tab.page.get_by_role("button", name="New", exact=True)).to_be_disabled()
    expect(tab.page.get_by_role("button", name="Kill")).to_be_disabled()
    assert tab.violations() == []
    second.type("echo behind\n")
    second.shows("\nbehind")
    assert "behind" not in tab.text()
    assert (len(tab.sent), tab.tries) == (sent, tries)

    tab.reconnect.focus()
    tab.page.keyboard.press("Enter")
    tab.is_connected()
    tab.warning.to_be_empty()
    tab.shows("\nbehind")
    assert "lost" not in tab.text()
    second.is_disconnected(SUPERSEDED)


def test_the_reconnect_button_comes_first_and_is_reached_by_the_keyboard(
    tab: Tab, host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    second = new_tab()
    second.open(host.url)
    tab.is_disconnected(SUPERSEDED)
    tab.page.locator(".xterm-helper-textarea").focus()
    for _ in range(12):
        tab.page.keyboard.press("Shift+Tab")
        if tab.page.evaluate("document.activeElement.textContent") == "Reconnect":
            break
    expect(tab.reconnect).to_be_focused()
    tab.page.keyboard.press("Space")
    tab.is_connected()


def test_a_host_that_is_killed_and_started_again_has_its_tabs_back(
    tab: Tab, host: HostProcess
) -> None:
    """T26"""
    tab.type("echo before\n")
    tab.shows("\nbefore")
    host.kill()
    tab.is_disconnected(LOST)
    tab.shot("lost")
    tab.type("echo lost\n")
    tab.hint.to_contain_text("nothing was sent")
    host.start()
    tab.is_connected()
    tab.warning.to_be_empty()
    tab.type("echo after\n")
    tab.shows("\nafter")
    assert "lost" not in tab.text()
    assert tab.text().count("\nbefore") == 1


def test_a_daemon_that_is_killed_is_missed_for_a_moment(tab: Tab, home: Home) -> None:
    tab.type("echo before\n")
    tab.shows("\nbefore")
    home.another_daemon(home.kill_daemon())
    tab.is_connected()
    tab.type("echo after\n")
    tab.shows("\nafter")
    assert tab.text().count("\nbefore") == 1


def test_a_network_that_goes_and_comes_is_noticed_at_once(
    tab: Tab, context: BrowserContext
) -> None:
    tab.type("echo before\n")
    tab.shows("\nbefore")
    context.set_offline(True)
    tab.is_disconnected(LOST)
    tab.type("x")
    tab.hint.to_contain_text("nothing was sent")
    context.set_offline(False)
    tab.is_connected()
    tab.type("echo after\n")
    tab.shows("$ echo after\nafter\n")


def test_typing_keeps_a_host_that_then_ends_and_hears_no_more(
    home: Home, tmp_path: Path, new_tab: Callable[[], Tab]
) -> None:
    """Twice its idle timeout; then banner and badge, and no event more."""
    with running_host(home, "--idle-timeout", "6s", *bash(tmp_path), logged_in=False) as host:
        tab = new_tab()
        tab.open(host.link)
        tab.shows("$")
        for _ in range(24):  # as slowly as somebody who thinks
            tab.type("x")
            tab.page.wait_for_timeout(500)
        assert host.is_running
        assert tab.sent.count("input") == 24
        assert tab.sent.count("__activity__") <= 1
        assert host.ended() == 0
        tab.is_disconnected(IDLE)
        tab.warning.to_contain_text("hold host --port")
        tab.shot("idle")
        sent, tries = list(tab.sent), tab.tries
        tab.type("x")
        tab.hint.to_contain_text("nothing was sent")
        while tab.tries < tries + 3:
            tab.page.wait_for_event("websocket")
        assert tab.sent == sent
        tab.is_disconnected(IDLE)
        assert tab.violations() == []
        host.start("--idle-timeout", "off")
        tab.is_connected()
        tab.warning.to_be_empty()
        tab.type("\necho back\n")
        tab.shows("\nback")
