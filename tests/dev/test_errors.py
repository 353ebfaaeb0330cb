"""What is wrong stands on the page until it is right."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.developing import developing, site
from tests.support.home import Home

pytestmark = pytest.mark.slow

PAGE = """<!doctype html><html><head><link rel="stylesheet" href="s.css"></head>
<body><h1 id="a"></h1><script src="a.js"></script></body></html>"""
GOOD = "document.getElementById('a').textContent = '{text}'"


def test_a_syntax_error_is_shown_and_gone_with_its_fix(
    home: Home, page: Page, tmp_path: Path
) -> None:
    folder = site(tmp_path / "site", index_html=PAGE, a_js=GOOD.format(text="one"), s_css="")
    with developing(home, str(folder), "--headless") as dev:
        page.goto(dev.url)
        expect(page.locator("#a")).to_have_text("one")
        (folder / "a.js").write_text("const = 1")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("SyntaxError", timeout=20_000)
        expect(alert).to_contain_text("/a.js:1")
        dev.hears("in the page: Uncaught SyntaxError")
        (folder / "a.js").write_text(GOOD.format(text="two"))
        expect(page.locator("#a")).to_have_text("two", timeout=20_000)
        expect(alert).to_have_count(0)


def test_a_missing_style_is_shown_and_gone_when_it_is_there(
    home: Home, page: Page, tmp_path: Path
) -> None:
    folder = site(tmp_path / "site", index_html=PAGE, a_js=GOOD.format(text="one"))
    with developing(home, str(folder), "--headless") as dev:
        page.goto(dev.url)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("/s.css could not be loaded")
        (folder / "s.css").write_text("h1 { color: rgb(1, 2, 3) }")
        expect(page.locator("#a")).to_have_css("color", "rgb(1, 2, 3)", timeout=20_000)
        expect(alert).to_have_count(0)


def test_a_rejection_is_shown_and_can_be_put_away(home: Home, page: Page, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html=PAGE, a_js="Promise.reject(Error('x1'))", s_css="")
    with developing(home, str(folder), "--headless") as dev:
        page.goto(dev.url)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("x1")
        page.keyboard.press("Escape")
        expect(alert).to_have_count(0)


def test_a_page_that_is_not_there_comes_when_it_is(home: Home, page: Page, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html=PAGE)
    with developing(home, str(folder), "--headless") as dev:
        page.goto(dev.origin + "/new.html")
        expect(page.locator("h1")).to_have_text("There is no such file")
        (folder / "new.html").write_text("<h1>here</h1>")
        expect(page.locator("h1")).to_have_text("here", timeout=20_000)


def test_hold_dev_that_has_gone_is_told_after_a_while(
    home: Home, page: Page, tmp_path: Path
) -> None:
    folder = site(tmp_path / "site", index_html=PAGE, a_js="", s_css="")
    with developing(home, str(folder), "--headless") as dev:
        page.goto(dev.url)
        page.wait_for_load_state("networkidle")
        dev.end()
        expect(page.get_by_text("hold dev is not there")).to_be_visible(timeout=20_000)
