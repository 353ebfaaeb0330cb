"""What a person does with the page: log in, type, make sessions, look at them on a phone."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browsing import Tab
from tests.support.home import Home
from tests.support.hosting import HostProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_what_is_typed_is_run_and_its_output_shown(tab: Tab) -> None:
    tab.type("echo hello $((6*7))\n")
    tab.shows("hello 42")
    tab.shot("connected")


def test_a_code_is_gone_from_the_address_and_works_once(
    tab: Tab, host: HostProcess, browser: Browser
) -> None:
    """T28"""
    assert "code" not in tab.page.url
    stranger = Tab(browser.new_context())
    stranger.page.goto(host.link)
    expect(stranger.page.get_by_label("Code")).to_be_visible()
    expect(stranger.page.get_by_role("alert")).not_to_be_empty()
    stranger.shot("login")


def test_a_code_is_asked_for_and_typed(host: HostProcess, new_tab: Callable[[], Tab]) -> None:
    tab = new_tab()
    tab.page.goto(host.url)
    tab.page.get_by_label("Code").fill(host.link.partition("code=")[2])
    tab.page.keyboard.press("Enter")
    tab.is_connected()
    tab.shows("$")


def test_sessions_are_made_renamed_chosen_and_killed(tab: Tab) -> None:
    page = tab.page
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_label("Command").fill("sh -c 'echo in the second; exec cat'")
    page.get_by_role("button", name="Start").click()
    tab.shows("in the second")
    page.get_by_role("button", name="Rename", exact=True).click()
    page.get_by_label("Name", exact=True).fill("my cat")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="my cat")).to_be_visible()
    page.get_by_role("navigation").get_by_text("bash").first.click()
    tab.shows("$")
    assert "in the second" not in tab.text()
    page.get_by_role("navigation").get_by_text("my cat").click()
    tab.shows("in the second")
    page.get_by_role("button", name="Kill").click()
    tab.shot("confirm")
    page.get_by_role("dialog").get_by_role("button", name="Kill").click()
    expect(page.locator("footer")).to_contain_text("ended")


def test_what_somebody_else_owns_is_looked_at_until_it_is_taken_over(
    tab: Tab, host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    """T24: and keeps its size until then."""
    tab.type("stty size\n")
    link = tab.page.get_by_role("link", name="bash in its own tab").get_attribute("href")
    other = new_tab()
    other.page.set_viewport_size({"width": 600, "height": 400})
    other.open(host.url + str(link))
    other.shows("stty size")
    expect(other.page.locator("footer")).to_contain_text("owned by")
    size = tab.page.locator("footer [role=img]").inner_text()
    expect(other.page.locator("footer [role=img]")).to_have_text(size)
    other.type("x")
    other.hint.to_contain_text("Take it over")
    other.shot("observer")
    other.page.get_by_role("button", name="Take over").click()
    expect(other.page.locator("footer")).to_contain_text("yours")
    expect(other.page.locator("footer [role=img]")).not_to_have_text(size)
    other.type("echo mine now\n")
    tab.shows("mine now\n")


def test_what_was_forgotten_is_not_to_be_read_in_a_tab_either(
    tab: Tab, home: Home, host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    """The address of the tab is still that of the session, and its terminal showed the secret."""
    session = home.hold("run", "-d", "--", "echo", "the secret").strip()
    home.hold("wait", session)
    looking = new_tab()
    looking.open(f"{host.url}#/s/{session}")
    looking.shows("the secret")
    home.hold("forget", "--yes", session)
    expect(looking.page.locator(".nothing")).to_contain_text(f"There is no session {session}")
    looking.page.wait_for_function("() => holdfast.text().trim() === ''")
    tab.is_connected()


def test_without_a_daemon_nothing_is_offered_that_needs_it(tab: Tab, home: Home) -> None:
    """It said that no session runs, and that "New" starts one, which it could not."""
    new = tab.page.get_by_role("button", name="New", exact=True)
    tab.type("exit\n")
    expect(tab.page.locator("footer")).to_contain_text("ended")
    home.hold("forget", "--yes", json.loads(home.hold("ls", "--all", "--json"))[0]["id"])
    expect(tab.page.locator(".nothing")).to_contain_text("No session is running")
    expect(new).to_be_enabled()
    home.hold("daemon", "stop", "--yes")
    expect(tab.page.locator(".nothing")).to_contain_text("The host has no daemon")
    expect(new).to_be_disabled()
    tab.shot("no-daemon")
    home.hold("ls")
    expect(new).to_be_enabled(timeout=20_000)


def test_a_name_that_is_too_long_is_said_and_costs_no_connection(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Rename", exact=True).click()
    tab.page.get_by_label("Name", exact=True).fill("x" * 5000)
    tab.page.keyboard.press("Enter")
    tab.hint.to_contain_text("characters at most")
    assert tab.tries == 1


def test_queries_of_programs_are_answered_once(tab: Tab) -> None:
    """T10: by the daemon's reader; the terminal in the page stays silent, also in a replay."""
    tab.type("IFS= read -t 9 -rs -d R -p $'\\e[c\\e[6n' said; printf 'said %q.\\n' \"$said\"\n")
    tab.shows("said $'\\E[?")
    assert tab.text().count("\\E[") == 2
    tab.page.reload()
    tab.may_type()
    tab.type("echo again\n")
    tab.shows("$ echo again\nagain\n$")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way_of_people_who_do_not_see(tab: Tab, scheme: str) -> None:
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.type("ls --color=always /\n")
    tab.shows("usr")
    tab.shot(f"colours-{scheme}")
    assert tab.violations() == []
    tab.page.get_by_role("button", name="New", exact=True).click()
    assert tab.violations() == []


def test_a_phone_shows_it_as_wide_as_it_is(host: HostProcess, browser: Browser) -> None:
    phone = Tab(
        browser.new_context(
            viewport={"width": 390, "height": 664},
            device_scale_factor=3,
            has_touch=True,
            is_mobile=True,
        )
    )
    phone.open(host.link)
    phone.shows("$")
    phone.type("stty size\n")
    phone.shot("phone")
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.page.evaluate("innerWidth") == 390
    assert phone.violations() == []


def test_what_has_ended_runs_again_only_after_a_question(tab: Tab, home: Home) -> None:
    home.hold("run", "-d", "-n", "once", "--", "sh", "-c", "echo ran; read line")
    tab.page.get_by_role("navigation").get_by_text("once").first.click()
    tab.may_type()
    tab.type("\n")
    tab.page.get_by_role("button", name="Run again").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("sh -c echo ran; read line")
    tab.shot("run-again")

    tab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Run again")).to_be_focused()
    tab.page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Run again").click()

    expect(tab.page.get_by_role("button", name="Kill")).to_be_visible()
    tab.shows_again("ran\n")
    expect(tab.page.locator(".xterm-helper-textarea")).to_be_focused()


def test_a_browser_that_keeps_nothing_shows_the_page_all_the_same(
    host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    tab = new_tab()
    forbidden = "get() { throw new DOMException('not here', 'SecurityError') }"
    for name in ("localStorage", "sessionStorage"):
        tab.page.add_init_script(f"Object.defineProperty(window, '{name}', {{{forbidden}}})")
    tab.open(host.link)
    tab.shows("$")
    tab.may_type()
    tab.type("echo still $((6*7))\n")
    tab.shows("still 42")
