"""Programs that have the whole screen, and those that print more than can be shown."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browsing import Tab

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
