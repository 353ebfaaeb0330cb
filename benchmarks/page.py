"""Measure the page in a real browser: how soon it is back, and what it costs a flood.

The peer of the flood is the same terminal in the same browser, fed in the page itself: what its
parser takes is the least there can be. Rounds alternate.
`python benchmarks/page.py [reload|flood]`
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from playwright.sync_api import Page, sync_playwright

from tests.support.browsing import Tab, bash, launch, use_our_node
from tests.support.home import ROOT, running_home
from tests.support.hosting import running_host

RELOADS = 15
RELOAD_BAR = 500  # ms, at the median
ROUNDS = 5
FLOOD = 6 << 20  # bytes: less than is ever skipped
SHARE_BAR = 0.9
XTERM = ROOT / "web" / "node_modules" / "@xterm" / "xterm"
FEED = """async ([text, cols, rows]) => {
  const terminal = new Terminal({ cols, rows, scrollback: 10000 });
  terminal.open(document.body);
  const bytes = new TextEncoder().encode(text);
  const from = performance.now();
  for (let at = 0; at < bytes.length; at += 65536)
    await new Promise((done) => terminal.write(bytes.subarray(at, at + 65536), done));
  const took = performance.now() - from;
  terminal.dispose();
  return took;
}"""


class Scene(NamedTuple):
    """A tab on a shell, a page beside it that has nothing but a terminal, and a directory."""

    tab: Tab
    bare: Page
    directory: Path


@contextmanager
def scene() -> Iterator[Scene]:
    use_our_node()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        directory = Path(name)
        (directory / "h").mkdir(mode=0o700)
        with (
            running_home(directory / "h", {"HOLDFAST_READER_ENABLED": "on"}) as home,
            running_host(home, *bash(directory), logged_in=False) as host,
        ):
            browser = launch(playwright)
            tab = Tab(browser.new_context(viewport={"width": 1000, "height": 600}))
            tab.open(host.link)
            tab.shows("$")
            bare = browser.new_page(viewport={"width": 1000, "height": 600})
            bare.add_style_tag(path=XTERM / "css" / "xterm.css")
            bare.add_script_tag(path=XTERM / "lib" / "xterm.js")
            yield Scene(tab, bare, directory)
            browser.close()


def reload() -> None:
    """From the key that reloads to a prompt that takes what is typed."""
    with scene() as found:
        taken = []
        for number in range(RELOADS):
            start = time.perf_counter()
            found.tab.page.reload(wait_until="commit")
            found.tab.page.wait_for_function(
                "() => globalThis.holdfast && holdfast.text().includes('$')"
            )
            taken.append((time.perf_counter() - start) * 1000)
            found.tab.type(f"echo again{number}\n")
            found.tab.shows(f"\nagain{number}\n")
    median = statistics.median(taken)
    verdict = "met" if median < RELOAD_BAR else "MISSED"
    print(f"  reload to prompt   p50 {median:4.0f} ms   max {max(taken):4.0f} ms   "
          f"bar {RELOAD_BAR} ms: {verdict}")  # fmt: skip


def flood() -> None:
    """Through daemon and host into the page, against the same bytes given to the terminal."""
    line = "line %06d of a plain flood of text that a compiler prints\r\n"
    text = "".join(line % number for number in range(FLOOD // len(line % 0)))
    with scene() as found:
        (found.directory / "flood").write_text(text.replace("\r", ""))
        ours, theirs = [], []
        for number in range(ROUNDS):
            theirs.append(found.bare.evaluate(FEED, [text, 92, 33]))
            found.tab.page.bring_to_front()
            ours.append(_through(found, number))
    share = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
    rates = [len(text) / statistics.median(taken) / 1000 for taken in (ours, theirs)]
    verdict = "met" if share >= SHARE_BAR else "MISSED"
    print(f"  flood   page {rates[0]:.1f} MB/s   xterm.js alone {rates[1]:.1f} MB/s   "
          f"{share:.2f} x (bar {SHARE_BAR}): {verdict}")  # fmt: skip


def _through(found: Scene, number: int) -> float:
    """Milliseconds from Enter to the last line."""
    found.tab.type(f"cat {found.directory}/flood; echo the''end{number}")
    start = time.perf_counter()
    found.tab.page.keyboard.press("Enter")
    # Asked at each frame, it would make a text of 10,000 lines sixty times a second.
    found.tab.page.wait_for_function(
        "(end) => holdfast.text().slice(-200).includes(end)", arg=f"theend{number}", polling=100
    )
    return (time.perf_counter() - start) * 1000


ROWS = {"reload": reload, "flood": flood}

if __name__ == "__main__":
    for name in sys.argv[1:] or ROWS:
        print(f"-- {name}")
        ROWS[name]()
