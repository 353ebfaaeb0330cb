"""Tabs that nobody looked at, and laptops that slept; the page's clock is moved by hand."""

import pytest

from tests.support.browsing import Tab
from tests.support.hosting import HostProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LOST = "Lost connection to the host."
LOOK = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def clocked(tab: Tab) -> Tab:
    """A tab whose timers the test can stop."""
    tab.page.clock.install()
    tab.page.reload()
    tab.is_connected()
    tab.shows("$")
    return tab


def test_a_tab_that_is_looked_at_again_comes_back_at_once(clocked: Tab, host: HostProcess) -> None:
    """With its timers stopped nothing but being looked at can have it try."""
    tab = clocked
    tab.page.evaluate(LOOK, "hidden")
    host.kill()
    tab.is_disconnected(LOST)
    now = tab.page.evaluate("Date.now()")
    tab.page.clock.pause_at(now + 1)
    host.start()
    tab.page.evaluate("0")  # what was tried before is noted by now
    tries = tab.tries
    tab.page.evaluate(LOOK, "hidden")
    assert tab.tries == tries
    tab.page.evaluate(LOOK, "visible")
    tab.is_connected()
    tab.page.clock.resume()
    tab.type("echo after\n")
    tab.shows("\nafter")


def test_a_laptop_that_slept_notices_and_goes_on_where_it_was(clocked: Tab) -> None:
    tab = clocked
    tab.type("echo before\n")
    tab.shows("\nbefore")
    tries = tab.tries
    tab.page.clock.fast_forward("10:00")
    tab.page.evaluate(LOOK, "visible")
    while tab.tries == tries:
        tab.page.wait_for_event("websocket")
    tab.is_connected()
    tab.type("echo after\n")
    tab.shows("\nafter")
    assert tab.text().count("\nbefore") == 1
