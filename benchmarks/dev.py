"""What `hold dev` costs: from a save to the page that shows it, next to livereload in the same run.

Rows: a page that is loaded again, a style that is swapped, a request through the proxy and without
it, the memory of a server that watches 10,000 files. `python benchmarks/dev.py [save|proxy|memory]`
"""

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.dev.conftest import FLAGS
from tests.support.developing import developing, site
from tests.support.home import Home, running_home, until

SAVES, PAUSE = 40, 0.05
PEER_SAVES, PEER_PAUSE = 8, 3.5  # livereload drops what is saved within 3 s of the last
GIVE_UP = 5.0  # seconds for one save
REQUESTS = 300
P50_BAR, P95_BAR = 60.0, 120.0  # ms, of a machine that has nothing else to do
FILES, FOLDERS = 10_000, 200
PAGE = """<!doctype html><html><head><link rel="stylesheet" href="style.css"></head>
<body><h1 id="a">{n}</h1></body></html>"""
STYLE = "h1 {{ color: rgb({n}, 0, 0) }}"
# The page itself says when it shows what: asking it over and over would disturb what is measured.
LOADED = """document.addEventListener("DOMContentLoaded", () => console.log(JSON.stringify(
  [document.getElementById("a").textContent, performance.timeOrigin + performance.now()])))"""
COLOURED = """() => { let last = ""; const look = () => {
  const colour = getComputedStyle(document.getElementById("a")).color;
  if (colour !== last) { last = colour; console.log(JSON.stringify(
    [colour.match(/\\d+/)[0], performance.timeOrigin + performance.now()])); }
  requestAnimationFrame(look); }; look(); }"""
PEER = """import sys
from livereload import Server
server = Server()
server.watch(sys.argv[1] + "/*")
server.serve(root=sys.argv[1], host="127.0.0.1", port=int(sys.argv[2]))
"""
PLAIN = (
    "import http.server as h;"
    "h.test(h.SimpleHTTPRequestHandler, h.ThreadingHTTPServer, port=0, bind='127.0.0.1')"
)


def main() -> None:
    for name in sys.argv[1:] or ["save", "proxy", "memory"]:
        print(f"-- {name}")
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            with running_home(place / "home") as home:
                {"save": save, "proxy": proxy, "memory": memory}[name](home, place)


def told(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(f"{name:34} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms   n {len(ordered)}")


# -- from a save to the page


def save(home: Home, place: Path) -> None:
    folder = site(place / "site", index_html=PAGE.format(n=0), style_css=STYLE.format(n=0))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        with developing(home, str(folder), "--headless") as dev:
            rows(browser, "hold dev", dev.url, folder, saves=SAVES, pause=PAUSE)
        with peer(folder, place) as url:
            rows(browser, "livereload", url, folder, saves=PEER_SAVES, pause=PEER_PAUSE)
        browser.close()
    print(f"the bar is p50 {P50_BAR:g} ms and p95 {P95_BAR:g} ms for a page")


def rows(browser: Browser, name: str, url: str, folder: Path, *, saves: int, pause: float) -> None:
    context = browser.new_context()
    context.add_init_script(LOADED)
    page = context.new_page()
    shown = listened(page)
    page.goto(url)
    for what, path, text in (
        ("a page", folder / "index.html", PAGE),
        ("a style", folder / "style.css", STYLE),
    ):
        if what == "a style":
            page.evaluate(COLOURED)
        page.wait_for_timeout(4000)
        shown.clear()
        times = [saved(page, shown, (path, text, n + 1), pause=pause) for n in range(saves)]
        told(f"{name}, {what}", times)
    context.close()


def listened(page: Page) -> dict[str, float]:
    """Return what will have the moment at which the page showed each number first."""
    shown: dict[str, float] = {}

    def heard(text: str) -> None:
        if text.startswith("["):
            number, moment = json.loads(text)
            shown.setdefault(number, moment)

    page.on("console", lambda message: heard(message.text))
    return shown


def saved(
    page: Page, shown: dict[str, float], what: tuple[Path, str, int], *, pause: float
) -> float:
    """Save once; return the time until the page shows it, in ms."""
    page.wait_for_timeout(pause * 1000)
    begin, give_up = time.time() * 1000, time.monotonic() + GIVE_UP
    path, text, number = what
    path.write_text(text.format(n=number))
    while str(number) not in shown and time.monotonic() < give_up:
        page.wait_for_timeout(2)
    return shown.get(str(number), begin + GIVE_UP * 1000) - begin


@contextmanager
def peer(folder: Path, place: Path) -> Iterator[str]:
    script = place / "peer.py"
    script.write_text(PEER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder), str(port)], stdout=quiet, stderr=quiet
    )
    try:
        until(lambda: reached(port), "livereload")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


def reached(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


# -- the proxy


def proxy(home: Home, place: Path) -> None:
    folder = site(place / "app", a_txt="x" * 20_000)
    with developing(home, str(folder), "--headless", "--", sys.executable, "-uc", PLAIN) as dev:
        own = int(dev.origin.rpartition(":")[2])
        session = json.loads(home.hold("ls", "--json"))[0]["id"]
        printed = home.hold("output", session)
        found = re.search(r"port (\d+)", printed)
        assert found, printed
        ports = {"the app itself": int(found[1]), "through the proxy": own}
        times: dict[str, list[float]] = {name: [] for name in ports}
        for _ in range(REQUESTS):
            for name, port in ports.items():
                times[name].append(timed(lambda port=port: fetched(port)))  # type: ignore[misc]
    for name, each in times.items():
        told(f"20 KB, {name}", each)


def fetched(port: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request("GET", "/a.txt")
    assert len(line.getresponse().read()) == 20_000
    line.close()


def timed(act: Callable[[], None]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000


# -- memory


def memory(home: Home, place: Path) -> None:
    small = site(place / "small", index_html="x")
    large = site(place / "large", index_html="x")
    for number in range(FILES):
        inside = large / f"f{number % FOLDERS}"
        inside.mkdir(exist_ok=True)
        (inside / f"{number}.js").write_text("x")
    for name, folder in (("1 file", small), (f"{FILES} files", large)):
        begin = time.monotonic()
        with developing(home, str(folder), "--headless") as dev:
            fetched_page(dev.origin)
            took = time.monotonic() - begin
            status = Path(f"/proc/{dev.process.pid}/status").read_text()
            kib = int(status.split("VmRSS:")[1].split()[0])
            print(f"{name:34} {kib / 1024:7.1f} MiB   first answer after {took:.1f} s")


def fetched_page(origin: str) -> None:
    line = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=10)
    line.request("GET", "/")
    assert line.getresponse().status == 200
    line.close()


if __name__ == "__main__":
    main()
