"""Several tabs at once: on two seats, on none, and twice on the same one."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.support.browsing import Tab
from tests.support.home import Home
from tests.support.hosting import HostProcess, running_host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SUPERSEDED = "Connection superseded by another tab."


def test_two_tabs_on_two_sessions_are_both_live(
    tab: Tab, home: Home, host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    """T37"""
    home.hold("run", "--name", "second", "--detach", "--", "cat")
    item = tab.page.get_by_role("link", name="second in its own tab")
    second = new_tab()
    second.open(host.url + str(item.get_attribute("href")))
    second.may_type()
    second.type("to the second\n")
    second.shows("to the second\nto the second")
    tab.type("echo to the first\n")
    tab.shows("\nto the first")
    tab.is_connected()
    second.is_connected()


def test_a_shared_link_shows_one_session_and_supersedes_nobody(
    tab: Tab, home: Home, browser: Browser
) -> None:
    session = json.loads(home.hold("ls", "--json"))
    name = (session["sessions"] if isinstance(session, dict) else session)[0]["id"]
    shared = home.hold("share", name).split()
    link = next(word for word in shared if word.startswith("http"))
    guest = Tab(browser.new_context())
    guest.open(link)
    guest.shows("$")
    assert "code" not in guest.page.url
    tab.type("echo seen by both\n")
    guest.shows("\nseen by both")
    tab.is_connected()
    guest.type("x")
    guest.hint.to_contain_text("for looking only")
    expect(guest.page.get_by_role("button")).to_have_count(0)
    expect(guest.page.get_by_role("navigation")).to_have_count(0)
    assert "input" not in guest.sent
    guest.shot("share")
    guest.page.reload()
    guest.shows("\nseen by both")
    assert guest.complaints == []


def test_who_looks_on_in_a_smaller_window_sees_the_line_of_the_cursor(
    tab: Tab, home: Home, browser: Browser
) -> None:
    """A terminal has the size of its owner's; its last lines were below the edge of a guest's."""
    tab.type("seq 100\n")
    tab.shows("100\n$")
    session = json.loads(home.hold("ls", "--json"))[0]["id"]
    link = next(word for word in home.hold("share", session).split() if word.startswith("http"))
    guest = Tab(browser.new_context(viewport={"width": 1000, "height": 300}))
    guest.open(link)
    guest.shows("100\n$")
    cursor = guest.page.locator(".xterm-cursor")
    expect(cursor).to_be_in_viewport()
    guest.shot("share-small")
    tab.type("clear; echo above\n")
    guest.shows("above\n$")
    expect(cursor).to_be_in_viewport()
    guest.page.locator(".screen").evaluate("each => { each.scrollTop = each.scrollHeight; }")
    expect(cursor).not_to_be_in_viewport()
    tab.type("echo more\n")
    guest.shows("\nmore\n$")
    expect(cursor).not_to_be_in_viewport()  # who has scrolled stays where he is


def test_a_link_that_is_no_good_says_so_in_its_own_words(
    tab: Tab, home: Home, host: HostProcess, browser: Browser
) -> None:
    session = json.loads(home.hold("ls", "--json"))[0]["id"]
    guest = Tab(browser.new_context())
    guest.page.goto(f"{host.url}#/share/{session}?code=wrong")
    form = guest.page.locator(".login")
    expect(form).to_contain_text("hold share")
    expect(form.get_by_role("alert")).to_contain_text("the code is wrong")
    assert "user who runs the daemon" not in form.inner_text()


def test_a_code_may_be_pasted_with_its_address(home: Home, host: HostProcess, tab: Tab) -> None:
    with running_host(home, logged_in=False) as other:
        tab.page.goto(other.url)
        tab.page.get_by_label("Code").fill(f" {other.link}\n")
        tab.page.get_by_role("button", name="Log in").click()
        tab.is_connected()


def test_a_duplicated_tab_is_the_newer_one(
    tab: Tab, host: HostProcess, context: BrowserContext, new_tab: Callable[[], Tab]
) -> None:
    """T37: it brings the same client id along, and neither throws the other out for ever."""
    kept = tab.page.evaluate("JSON.stringify(sessionStorage)")
    copy = new_tab()
    copy.page.add_init_script(
        f"for (const [k, v] of Object.entries({kept})) sessionStorage.setItem(k, v)"
    )
    copy.open(host.url)
    copy.shows("$")
    tab.is_disconnected(SUPERSEDED)
    copy.may_type()
    copy.type("echo typed in the copy\n")
    copy.shows("\ntyped in the copy")
    tries = tab.tries
    copy.type("echo still\n")
    copy.shows("\nstill")
    copy.is_connected()
    assert tab.tries == tries


def test_a_tab_out_of_the_back_forward_cache_goes_on(tab: Tab, host: HostProcess) -> None:
    tab.type("echo before\n")
    tab.shows("\nbefore")
    tab.page.evaluate("document.title = 'the same page'")
    tab.page.goto(host.url + "licenses.txt")
    tab.page.go_back(wait_until="commit")
    tab.is_connected()
    assert tab.page.title() == "the same page"
    tab.type("echo after\n")
    tab.shows("\nafter")
    assert tab.text().count("\nbefore") == 1


def test_a_tab_of_one_session_fits_what_nobody_owns(
    home: Home, host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    """As the workspace does; also when it is where a tab begins."""
    session = home.hold("run", "--detach", "--", "cat").strip()
    tab = new_tab()
    tab.open(f"{host.url}#/s/{session}?code={host.code}")
    tab.may_type()
    expect(tab.page.locator("footer [role=img]")).not_to_have_text(re.compile("80.24"))
