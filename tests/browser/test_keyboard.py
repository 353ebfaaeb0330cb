"""The page without a mouse: into the terminal, and out of it again."""

import pytest
from playwright.sync_api import expect

from tests.support.browsing import Tab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_tab_is_the_programs_and_another_key_leaves_the_terminal(tab: Tab) -> None:
    terminal = tab.page.locator(".xterm-helper-textarea")
    tab.type("cat -A\n")
    tab.page.keyboard.type("a\tb\n")
    tab.shows("a^Ib$")
    expect(terminal).to_be_focused()

    tab.page.keyboard.press("Control+Shift+Space")
    expect(tab.page.get_by_role("heading", level=2)).to_be_focused()
    tab.page.keyboard.press("Tab")
    expect(tab.page.get_by_role("button", name="Rename", exact=True)).to_be_focused()
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Tab")
    expect(terminal).to_be_focused()
    tab.page.keyboard.type("back\n")
    tab.shows("back$")
    assert "^@" not in tab.text()  # the key itself was not typed

    place = tab.page.get_by_role("group", name="Terminal")
    expect(place).to_have_accessible_description("Ctrl+Shift+Space leaves the terminal")
    assert tab.violations() == []
