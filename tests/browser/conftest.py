"""One browser for all tests; a Holdfast, a host and a profile for each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.support.browsing import Tab, bash, launch, use_our_node
from tests.support.home import Home, running_home
from tests.support.hosting import HostProcess, running_host


# For this package, and no longer: its loop would be in the way of tests with one of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    use_our_node()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    directory = tmp_path / "home"
    directory.mkdir(mode=0o700)
    with running_home(directory, {"HOLDFAST_READER_ENABLED": "on"}) as home:
        yield home


@pytest.fixture
def host(home: Home, tmp_path: Path) -> Iterator[HostProcess]:
    """A host with a shell."""
    with running_host(home, *bash(tmp_path), logged_in=False) as host:
        yield host


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of its own, as of a person who was never here."""
    context = browser.new_context(viewport={"width": 1000, "height": 600})
    yield context
    context.close()


@pytest.fixture
def new_tab(context: BrowserContext) -> Iterator[Callable[[], Tab]]:
    """Opens tabs; whatever one of them complained of in its console fails the test."""
    tabs: list[Tab] = []

    def new() -> Tab:
        tabs.append(Tab(context))
        return tabs[-1]

    yield new
    assert [tab.complaints for tab in tabs if tab.complaints] == []


@pytest.fixture
def tab(new_tab: Callable[[], Tab], host: HostProcess) -> Tab:
    """A tab that is logged in and shows the prompt of the shell."""
    tab = new_tab()
    tab.open(host.link)
    tab.shows("$")
    return tab
