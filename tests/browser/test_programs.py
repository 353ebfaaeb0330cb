"""Programs that have the whole screen, and those that print more than can be shown."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browsing import Tab
from tests.support.home import Home
from tests.support.hosting import HostProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_vim_is_there_after_a_reload(tab: Tab) -> None:
    """T5: with the alternate screen, its keys and the shell behind it."""
    tab.type("vim -u NONE -N\n")
    tab.shows("~")
    tab.type("ihello from vim")
    tab.shows("hello from vim")
    tab.page.reload()
    tab.shows("hello from vim")
    tab.type(" and on")
    tab.shows("hello from vim and on")
    tab.shot("vim")
    tab.page.keyboard.press("Escape")
    tab.type(":q!\n")
    tab.shows("$ vim -u NONE -N\n$")


def test_htop_is_there_after_a_reload(tab: Tab) -> None:
    tab.type("HTOPRC=/nonexistent/htoprc htop --readonly\n")
    tab.shows("Load average")
    tab.page.reload()
    tab.shows("Load average")
    tab.shot("htop")
    tab.type("q")
    tab.shows("$ HTOPRC=")  # the shell again, with what it had shown


def test_what_was_skipped_is_said_and_can_be_loaded(tab: Tab) -> None:
    """T7: a flood is skipped, with the number of bytes; the log has them all."""
    last = 3_000_000
    tab.type(f"seq {last}\n")
    # On a machine that is busy enough a page keeps up: so this one is held up, for as long as
    # the slowest needs for the flood.
    tab.page.evaluate("() => { const end = Date.now() + 8000; while (Date.now() < end); }")
    gap = tab.page.locator(".gap")
    expect(gap).to_be_visible(timeout=60_000)
    assert re.search(r"[\d,]{6,} bytes are not shown: they came faster", gap.inner_text())
    tab.shows(f"{last}\n$")
    tab.shot("gap")
    gap.get_by_role("button").click()
    expect(gap).to_have_count(0)
    tab.page.wait_for_function(
        "(text) => holdfast.text().includes(text)", arg=f"{last}\n$", timeout=90_000
    )
    shown = tab.text().rstrip().split("\n")[:-1]
    assert len(shown) > 10_000
    assert shown == [str(number) for number in range(last - len(shown) + 1, last + 1)]


CLIPBOARD = "navigator.clipboard.readText()"
RIGHTS = ["clipboard-read", "clipboard-write"]


def copies(word: str) -> str:
    """Return a command of the shell that copies "copied", and says another word."""
    return f"printf '\\033]52;c;Y29waWVk\\007{word}\\n'"


def test_what_a_program_copies_is_copied_once(tab: Tab, home: Home, host: HostProcess) -> None:
    """A replay would put back what was copied an hour ago, over what a person has copied since."""
    session = json.loads(home.hold("ls", "--json"))[0]["id"]
    tab.page.context.grant_permissions(RIGHTS)
    tab.type(f"{copies('done')}\n")
    tab.shows("\ndone\n$")
    tab.page.wait_for_function(f"async () => (await {CLIPBOARD}) === 'copied'")
    tab.page.evaluate("navigator.clipboard.writeText('since then')")
    host.kill()
    tab.is_disconnected("Lost connection to the host.")
    home.hold("send", "--takeover", session, copies("again"), "--enter")
    host.start()
    tab.shows("\nagain\n$")
    tab.type("echo live\n")
    tab.shows("\nlive\n$")

    assert tab.page.evaluate(CLIPBOARD) == "since then"


def test_who_only_looks_keeps_his_clipboard(
    home: Home, host: HostProcess, new_tab: Callable[[], Tab]
) -> None:
    """What is in it, somebody pastes into a shell of his own."""
    session = json.loads(home.hold("ls", "--json"))[0]["id"]
    guest = new_tab()
    guest.page.context.grant_permissions(RIGHTS)
    guest.open(next(each for each in home.hold("share", session).split() if "://" in each))
    guest.shows("$")
    guest.page.evaluate("navigator.clipboard.writeText('mine')")
    home.hold("send", session, copies("done"), "--enter")
    guest.shows("\ndone\n$")
    home.hold("send", session, "echo more", "--enter")
    guest.shows("\nmore\n$")

    assert guest.page.evaluate(CLIPBOARD) == "mine"
