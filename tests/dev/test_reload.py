"""What changes on disk is on the page: each state once, the last one always."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.developing import Dev, developing, site
from tests.support.home import Home, until

pytestmark = pytest.mark.slow

# Every load and every style that is applied is counted where it survives a load.
COUNTING = """<!doctype html><html><head><link rel="stylesheet" href="style.css"></head>
<body><h1 id="a">{text}</h1><script>
const loads = JSON.parse(sessionStorage.getItem("loads") || "[]");
loads.push(document.getElementById("a").textContent);
sessionStorage.setItem("loads", JSON.stringify(loads));
</script></body></html>"""
LOADS = "() => JSON.parse(sessionStorage.getItem('loads'))"


def written(path: Path, text: str) -> None:
    path.write_text(text)


def renamed(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_text(text)
    beside.rename(path)


def renamed_in_view(path: Path, text: str) -> None:
    """As editors do that do not hide what they are about to rename."""
    beside = path.with_name(f"{path.stem}-draft-{time.monotonic_ns()}{path.suffix}")
    beside.write_text(text)
    beside.replace(path)


def truncated(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.flush()
        os.fsync(file.fileno())
        time.sleep(0.05)  # the fault itself: an editor that is interrupted between the two
        file.write(text)


def moved_aside(path: Path, text: str) -> None:
    """As vim does it: the old one becomes a backup, then the new one is written."""
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    time.sleep(0.03)  # as above
    path.write_text(text)
    backup.unlink()


def opened(page: Page, dev: Dev) -> None:
    """Open the page and wait until it is connected."""
    with page.expect_websocket() as socket:
        page.goto(dev.url)
    until(lambda: socket.value.url, "a socket")
    page.wait_for_function("() => performance.now() > 0")


def shows(page: Page, text: str) -> None:
    page.wait_for_function("text => document.getElementById('a')?.textContent === text", arg=text)


@pytest.mark.parametrize("way", [written, renamed, renamed_in_view, truncated, moved_aside])
def test_each_way_of_writing_is_shown_once(
    way: Callable[[Path, str], None], home: Home, page: Page, tmp_path: Path
) -> None:
    """A file that is empty, or not there, for a moment is never shown."""
    folder = site(tmp_path / "site", index_html=COUNTING.format(text="0"), style_css="")
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        shows(page, "0")
        for number in range(1, 11):
            way(folder / "index.html", COUNTING.format(text=str(number)))
            shows(page, str(number))
        assert page.evaluate(LOADS) == [str(number) for number in range(11)]


def test_a_hundred_edits_in_a_row_are_each_shown_exactly_once(
    home: Home, page: Page, tmp_path: Path
) -> None:
    folder = site(tmp_path / "site", index_html=COUNTING.format(text="0"), style_css="")
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        for number in range(1, 101):
            written(folder / "index.html", COUNTING.format(text=str(number)))
            shows(page, str(number))
        assert page.evaluate(LOADS) == [str(number) for number in range(101)]


def test_a_burst_ends_with_its_last_state_and_shows_none_twice(
    home: Home, page: Page, tmp_path: Path
) -> None:
    folder = site(tmp_path / "site", index_html=COUNTING.format(text="0"), style_css="")
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        for number in range(1, 301):
            written(folder / "index.html", COUNTING.format(text=str(number)))
        shows(page, "300")
        loads = page.evaluate(LOADS)
        assert len(loads) == len(set(loads))
        assert loads == sorted(loads, key=int)
        assert len(loads) < 300
        # Another change comes as one more load: nothing of the burst is left.
        written(folder / "index.html", COUNTING.format(text="301"))
        shows(page, "301")
        assert page.evaluate(LOADS) == [*loads, "301"]


def test_a_style_is_swapped_without_a_load_and_without_a_bare_moment(
    home: Home, page: Page, tmp_path: Path
) -> None:
    style = "h1 {{ color: rgb({n}, 0, 0); font-size: 50px }}"
    folder = site(
        tmp_path / "site", index_html=COUNTING.format(text="0"), style_css=style.format(n=0)
    )
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        page.evaluate(
            """() => { window.colours = []; window.bare = 0;
            const look = () => { const s = getComputedStyle(document.getElementById("a"));
              if (s.fontSize !== "50px") window.bare += 1;
              if (window.colours.at(-1) !== s.color) window.colours.push(s.color);
              requestAnimationFrame(look); }; look(); }"""
        )
        for number in range(1, 101):
            written(folder / "style.css", style.format(n=number))
            page.wait_for_function(
                "colour => getComputedStyle(document.getElementById('a')).color === colour",
                arg=f"rgb({number}, 0, 0)",
            )
        assert page.evaluate("() => window.colours") == [f"rgb({n}, 0, 0)" for n in range(101)]
        assert page.evaluate("() => window.bare") == 0
        assert page.evaluate(LOADS) == ["0"]
        assert page.locator("link[rel=stylesheet]").count() == 1


def test_an_imported_style_shows_through_the_one_that_imports_it(
    home: Home, page: Page, tmp_path: Path
) -> None:
    folder = site(
        tmp_path / "site",
        index_html=COUNTING.format(text="0"),
        style_css="@import 'inner.css';",
        inner_css="h1 { color: rgb(1, 0, 0) }",
    )
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        expect(page.locator("#a")).to_have_css("color", "rgb(1, 0, 0)")
        written(folder / "inner.css", "h1 { color: rgb(2, 0, 0) }")
        expect(page.locator("#a")).to_have_css("color", "rgb(2, 0, 0)", timeout=20_000)
        assert page.evaluate(LOADS) == ["0"]


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="10"/>'


def test_a_picture_is_swapped_in_place(home: Home, page: Page, tmp_path: Path) -> None:
    text = COUNTING.format(text="0").replace("<h1", '<img id="p" src="pic.svg"><h1')
    folder = site(tmp_path / "site", index_html=text, style_css="", pic_svg=SVG.format(w=10))
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        page.wait_for_function("() => document.getElementById('p').naturalWidth === 10")
        renamed(folder / "pic.svg", SVG.format(w=37))
        page.wait_for_function("() => document.getElementById('p').naturalWidth === 37")
        assert page.evaluate(LOADS) == ["0"]


def test_a_picture_in_a_style_is_swapped_in_place(home: Home, page: Page, tmp_path: Path) -> None:
    folder = site(
        tmp_path / "site",
        index_html=COUNTING.format(text="0"),
        style_css="h1 { background-image: url('pic.svg') }",
        pic_svg=SVG.format(w=10),
    )
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        page.wait_for_load_state("networkidle")
        with page.expect_response("**/pic.svg?holdfast=*"):
            written(folder / "pic.svg", SVG.format(w=37))
        assert page.evaluate(LOADS) == ["0"]


FORM = """<!doctype html><html><body style="height: 5000px"><h1 id="a">{text}</h1>
<form><input id="one"><input type="checkbox" id="two"><input type="password" id="secret">
<select id="three"><option>x<option>y</select><textarea name="four"></textarea></form>
<div id="box" style="height: 50px; overflow: auto"><p style="height: 900px">deep</p></div>
</body></html>"""


def test_a_load_keeps_scroll_focus_and_fields(home: Home, page: Page, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html=FORM.format(text="0"))
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        page.fill("#one", "typed here")
        page.check("#two")
        page.fill("#secret", "hunter2")
        page.select_option("#three", "y")
        page.fill("textarea", "two\nlines")
        page.evaluate("() => { document.getElementById('box').scrollTop = 321; scrollTo(0, 1234) }")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        page.evaluate("() => document.getElementById('one').setSelectionRange(2, 5)")
        page.evaluate("() => document.getElementById('one').focus({preventScroll: true})")
        written(folder / "index.html", FORM.format(text="1"))
        shows(page, "1")
        page.wait_for_function("() => scrollY === 1234 && document.activeElement.id === 'one'")
        assert page.input_value("#one") == "typed here"
        assert page.is_checked("#two")
        assert page.input_value("#three") == "y"
        assert page.input_value("textarea") == "two\nlines"
        assert page.evaluate("() => document.getElementById('box').scrollTop") == 321
        assert page.evaluate("() => document.getElementById('one').selectionStart") == 2
        assert page.input_value("#secret") == ""
        assert page.evaluate("() => JSON.stringify(sessionStorage)").find("hunter2") < 0


def test_two_pages_show_each_change(home: Home, page: Page, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html=COUNTING.format(text="0"), style_css="")
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        other = page.context.browser
        assert other is not None
        context = other.new_context()
        second = context.new_page()
        opened(second, dev)
        for number in range(1, 21):
            written(folder / "index.html", COUNTING.format(text=str(number)))
            shows(page, str(number))
            shows(second, str(number))
        everything = [str(number) for number in range(21)]
        assert page.evaluate(LOADS) == everything
        assert second.evaluate(LOADS) == everything
        context.close()


def test_what_is_ignored_or_touched_or_hidden_loads_nothing(
    home: Home, page: Page, tmp_path: Path
) -> None:
    folder = site(tmp_path / "site", index_html=COUNTING.format(text="0"), style_css="")
    (folder / ".gitignore").write_text("build/\n*.log\n!keep.log\n")
    (folder / "build").mkdir()
    (folder / "node_modules").mkdir()
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        for name in ("build/x.js", "node_modules/y.js", "a.log", ".hidden.js", "a.js~", "4913"):
            written(folder / name, "1")
        os.utime(folder / "index.html")
        # These two are meant, in this order: had one of the others counted, there were more loads.
        written(folder / "keep.log", "1")
        page.wait_for_function("() => JSON.parse(sessionStorage.getItem('loads')).length === 2")
        written(folder / "index.html", COUNTING.format(text="1"))
        shows(page, "1")
        assert page.evaluate(LOADS) == ["0", "0", "1"]


def test_a_page_that_was_away_loads_once_if_something_has_changed(
    home: Home, page: Page, tmp_path: Path
) -> None:
    """T2: the line is cut without a word; and the server itself starts anew, with another token."""
    folder = site(tmp_path / "site", index_html=COUNTING.format(text="0"), style_css="")
    with developing(home, str(folder), "--headless") as dev:
        opened(page, dev)
        page.context.set_offline(True)
        for number in range(1, 4):
            written(folder / "index.html", COUNTING.format(text=str(number)))
        until(lambda: "index.html" in dev.said, "the change to be seen")
        page.context.set_offline(False)
        shows(page, "3")
        assert page.evaluate(LOADS) == ["0", "3"]
        url = dev.url
    written(folder / "index.html", COUNTING.format(text="4"))
    with developing(home, str(folder), "--headless") as dev:
        assert dev.url == url
        shows(page, "4")
        written(folder / "index.html", COUNTING.format(text="5"))
        shows(page, "5")
        assert page.evaluate(LOADS) == ["0", "3", "4", "5"]
