"""What a page can do in a window, and what it goes on doing while the window is held up."""

import os
import signal
import socket
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from holdfast.window.asked import Look
from tests.support.developing import Dev
from tests.support.home import Home, until
from tests.support.processes import is_alive
from tests.support.windowing import OFFSCREEN, SLOW, Page, Site, engine_processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HELD_UP = 3.0  # seconds; long enough for any pause of a busy machine to be told from it
ECHO = """<title>echo</title><script>
const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
socket.onopen = () => socket.send("open");
socket.onmessage = ({data}) => socket.send(`got ${data}`);
</script>"""


def environ(**more: str) -> dict[str, str]:
    return {**os.environ, **OFFSCREEN, **more}


def browser(folder: Path) -> tuple[dict[str, str], Path]:
    """Return what makes a script the browser of the person, and where it writes what it opens."""
    program, opened = folder / "browser", folder / "opened"
    program.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    program.chmod(0o755)
    opened.touch()
    return {"BROWSER": f"{program} %s"}, opened


def test_a_window_that_is_held_up_holds_up_no_page(site: Site) -> None:
    """The case this is made for: a loop that blocks, and a page whose connection goes on."""
    site.body = ECHO
    with Page(site.url, environ()) as page:
        until(lambda: site.heard, "the page's connection")
        asked = page.ask("block", seconds=HELD_UP)
        page.ask("state")  # answered only after it
        sent = 0
        while len(site.heard) < 11:
            site.push(str(sent))
            sent += 1
            until(lambda n=sent: len(site.heard) > n, f"the answer to {sent}")  # type: ignore[misc]
        begin, end = page.until(id=asked)["value"]

    answers = [at for at, text in site.heard if text.startswith("got")]
    assert end - begin >= HELD_UP
    assert len([at for at in answers if begin < at < end]) >= 5


def test_hold_dev_reaches_a_window_that_is_held_up(home: Home, tmp_path: Path) -> None:
    """Changes arrive while the loop is blocked; what they have the page fetch comes after it."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "style.css").write_text("body { color: rgb(0, 0, 0) }")
    index = """<link rel=stylesheet href=style.css><p id=p>one</p><script>
      window.arrived = [];
      new MutationObserver(() => window.arrived.push(Date.now() / 1000))
        .observe(document, {childList: true, subtree: true});</script>"""
    (folder / "index.html").write_text(index)
    dev = Dev(home, str(folder), "--headless")
    try:
        with Page(dev.url, environ()) as page:
            colour = "getComputedStyle(document.body).color"
            (folder / "style.css").write_text("body { color: rgb(0, 0, 255) }")
            until(lambda: page.evaluate(colour) == "rgb(0, 0, 255)", "its connection", SLOW)
            asked = page.ask("block", seconds=HELD_UP)
            (folder / "style.css").write_text("body { color: rgb(255, 0, 0) }")
            begin, end = page.until(id=asked)["value"]
            until(lambda: page.evaluate(colour) == "rgb(255, 0, 0)", "the new style", SLOW)
            arrived = page.evaluate("window.arrived")
            (folder / "index.html").write_text(index.replace("one", "two"))
            text = "document.getElementById('p')?.innerText"
            until(lambda: page.evaluate(text) == "two", "the new page", SLOW)
    finally:
        dev.end()

    assert [at for at in arrived if begin < at < end]


def test_a_link_to_elsewhere_opens_the_browser(site: Site, tmp_path: Path) -> None:
    site.body = (
        '<a id=out href="http://example.invalid/a">x</a><a id=new target=_blank href="/two">x</a>'
        '<a id=bad href="file:///etc/passwd">x</a><a id=mail href="mailto:a@example.invalid">x</a>'
        '<a id=in href="/two">x</a>'
    )
    variables, opened = browser(tmp_path)
    click = "document.getElementById('{}').click()".format
    with Page(site.url, environ(**variables)) as page:
        for name in ("bad", "mail", "out", "new"):
            page.evaluate(click(name))
            page.evaluate("location.pathname")
        until(lambda: opened.read_text().count("\n") == 2, "two pages in the browser", SLOW)
        assert page.evaluate("location.href") == site.url
        page.evaluate(click("in"))
        until(lambda: page.evaluate("location.pathname") == "/two", "a link of its own", SLOW)

    assert sorted(opened.read_text().split()) == [f"{site.url}two", "http://example.invalid/a"]


def test_the_title_is_that_of_the_page_unless_one_is_given(site: Site) -> None:
    site.body = "<title>htop in build</title>"
    with Page(site.url, environ()) as page:
        assert page.do("state")["title"] == "htop in build"
        page.evaluate("document.title = 'vim in build'")
        until(lambda: page.do("state")["title"] == "vim in build", "the new title")
    with Page(site.url, environ(), Look(title="mine")) as page:
        assert page.do("state")["title"] == "mine"


def test_a_page_whose_process_dies_is_loaded_again(site: Site) -> None:
    site.body = ECHO
    with Page(site.url, environ()) as page:
        until(lambda: site.heard, "the page")
        engine = engine_processes(page.opened.pid)
        os.kill(renderer(engine), signal.SIGKILL)
        until(lambda: site.loads == 2, "it to be loaded again", SLOW)
        page.until(event="loaded", ok=True)
        assert page.do("state")["title"] == "echo"


def renderer(pids: set[int]) -> int:
    """Return the process in which the page runs: a child of one that exists to have them.

    In a sandbox, which root has not, that one is itself such a child.
    """
    parents = {pid: _parent(pid) for pid in pids}
    return next(pid for pid in pids if parents[pid] in pids and pid not in parents.values())


def test_a_window_listens_to_nobody(site: Site) -> None:
    """T29: also with developer tools, no port is open by which others could drive the page."""
    with Page(site.url, environ(), Look(debug=True)) as page:
        found = [
            number
            for pid in {page.opened.pid, *engine_processes(page.opened.pid)}
            for number in sockets_of(pid)
        ]

    assert set(found) & listening() == set()
    with socket.create_server(("127.0.0.1", 0)):  # we would see one
        assert set(sockets_of(os.getpid())) & listening() != set()


def sockets_of(pid: int) -> list[int]:
    """Return the numbers of its sockets."""
    found = []
    for file in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            status = file.stat()
        except OSError:
            continue
        if stat.S_ISSOCK(status.st_mode):
            found.append(status.st_ino)
    return found


def listening() -> set[int]:
    """Return the sockets of this machine at which TCP connections are taken."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {int(row[9]) for row in rows if row[3] == "0A"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_it_in_order(site: Site, tmp_path: Path, number: signal.Signals) -> None:
    with Page(site.url, environ(), Look(keep=tmp_path / "kept")) as page:
        os.kill(page.opened.pid, number)
        assert page.opened.close() == 0

    assert (tmp_path / "kept" / "place").exists()


def test_what_a_page_logs_is_printed_only_for_who_debugs(site: Site) -> None:
    """T28: an address with a code in it would be part of the line."""
    site.body = "<script>console.error('kelp' + 'word')</script>"
    with Page(site.url, environ()) as page:
        page.opened.close()

    assert "kelpword" not in "".join(page.opened.said())


def test_junk_on_the_pipe_is_no_command(site: Site) -> None:
    with Page(site.url, environ()) as page:
        page.opened.say(b"\xff{")
        page.opened.say(b'{"id": 90, "do": "dance"}')
        page.opened.say(b'{"id": 91, "do": "block"}')

        assert page.until(id=90)["error"] == "no such command: dance"
        assert "seconds" in page.until(id=91)["error"]
        assert page.do("state")


def test_a_window_closes_with_the_pipe_of_its_address(site: Site) -> None:
    with Page(site.url, environ()) as page:
        page.opened.say_no_more()
        until(lambda: not is_alive(page.opened.pid), "it to close", SLOW)
        assert page.opened.close() == 0


def test_an_app_in_a_window_closes_with_it(
    home: Home, display: Mapping[str, str], tmp_path: Path
) -> None:
    """`hold dev` shows our own window, and ends when that is closed."""
    (tmp_path / "index.html").write_text("<title>app</title>")
    command = [sys.executable, "-P", "-m", "holdfast.window", "-"]
    dev = Dev(home, str(tmp_path), "--window", **display)
    dev.hears("in a window:")
    found = [
        pid
        for pid in (int(each.name) for each in Path("/proc").glob("[0-9]*"))
        if _parent(pid) == dev.process.pid
        if " ".join(command[1:]).encode() in _words(pid)
    ]
    os.kill(found[0], signal.SIGTERM)

    assert dev.process.wait(SLOW) == 0
    dev.end()


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _words(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
