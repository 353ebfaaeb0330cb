"""Nobody but the browser of this machine's person gets in, and nothing but the folder out."""

import http.client
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.developing import Dev, developing, site
from tests.support.home import Home

pytestmark = pytest.mark.slow


@pytest.fixture
def dev(home: Home, tmp_path: Path) -> Iterator[Dev]:
    (tmp_path / "outside.txt").write_text("outside")
    folder = site(tmp_path / "site", index_html="<h1>inside</h1>", a_txt="inside")
    (folder / ".env").write_text("secret")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("secret")
    (folder / ".well-known").mkdir()
    (folder / ".well-known" / "b.txt").write_text("inside")
    (folder / "deep").mkdir()
    (folder / "deep" / "index.html").write_text("<h1>deeper</h1>")
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "out").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "renamed.txt").symlink_to(folder / ".env")
    (folder / "within.txt").symlink_to(folder / "a.txt")
    os.mkfifo(folder / "pipe.txt")
    with developing(home, str(folder), "--headless") as dev:
        yield dev


def asked(dev: Dev, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Ask exactly this: no client tidies the path up."""
    host = dev.origin.removeprefix("http://")
    line = http.client.HTTPConnection(host, timeout=20)
    line.__dict__["_validate_path"] = lambda _: None  # to send what no client would
    try:
        line.putrequest(method, path, skip_host=True)
        for name, value in {"Host": host, **headers}.items():
            line.putheader(name.replace("_", "-"), value)
        line.endheaders()
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


NOT_THERE = (
    "/../outside.txt",
    "/deep/../../outside.txt",
    "/%2e%2e/outside.txt",
    "/..%2foutside.txt",
    "/%2e%2e%2foutside.txt",
    "/%252e%252e/outside.txt",
    "/..%5coutside.txt",
    "/out.txt",
    "/out/outside.txt",
    "/loop",
    "/a.txt%00.html",
    "/a.txt/",
    "/pipe.txt",
    "//etc/passwd",
    "/.env",
    "/%2eenv",
    "/renamed.txt",
    "/.git/config",
    "/.git/",
    "/" + "x" * 5000,
    "/__holdfast__/nothing",
)


def test_what_is_not_a_file_of_the_folder_is_not_there(dev: Dev) -> None:
    answers = {path: asked(dev, path) for path in NOT_THERE}

    assert {path: status for path, (status, _) in answers.items() if status != 404} == {}
    assert [body for _, body in answers.values() if b"secret" in body] == []


def test_what_is_in_the_folder_is_served(dev: Dev) -> None:
    assert asked(dev, "/a.txt") == (200, b"inside")
    assert asked(dev, "/within.txt") == (200, b"inside")
    assert asked(dev, "/%61.txt?x=1") == (200, b"inside")
    assert asked(dev, "/.well-known/b.txt") == (200, b"inside")
    assert asked(dev, "/deep")[0] == 307
    assert b"deeper" in asked(dev, "/deep/")[1]
    assert asked(dev, "/a.txt", "HEAD") == (200, b"")
    assert asked(dev, "/a.txt", "POST")[0] == 405
    assert asked(dev, "/a.txt", Range="bytes=1-2") == (206, b"ns")


def test_files_with_a_dot_are_served_to_who_wants_it(home: Home, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html="x")
    (folder / ".env").write_text("wanted")
    with developing(home, str(folder), "--headless", "--dotfiles") as dev:
        assert asked(dev, "/.env") == (200, b"wanted")


FOREIGN: tuple[dict[str, str], ...] = (
    {"Host": "evil.example"},
    {"Host": "127.0.0.1"},
    {"Host": "127.0.0.1.evil.example"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
)


def test_other_hosts_and_origins_get_nothing(dev: Dev) -> None:
    """T28: a page elsewhere, also under a name that leads to this machine."""
    for headers in FOREIGN:
        assert asked(dev, "/a.txt", **headers)[0] == 403, headers
        assert asked(dev, "/__holdfast__/page.js", **headers)[0] == 403, headers


def test_who_follows_a_link_to_us_gets_in(dev: Dev) -> None:
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}

    assert asked(dev, "/a.txt", Sec_Fetch_Dest="document", **link) == (200, b"inside")
    assert asked(dev, "/a.txt", "POST", Sec_Fetch_Dest="document", **link)[0] == 403


def test_nobody_listens_but_on_this_machine(dev: Dev) -> None:
    port = int(dev.origin.rpartition(":")[2])
    names = {row[4][0] for row in socket.getaddrinfo(socket.gethostname(), port)}
    elsewhere = [name for name in names if not str(name).startswith(("127.", "::1"))]
    local = socket.create_connection(("127.0.0.1", port), 5)
    local.close()
    for name in elsewhere:
        with pytest.raises(OSError, match=r"refused|unreachable"):
            socket.create_connection((str(name), port), 5)


CONNECT = """([hello, url]) => new Promise(done => {
  const line = new WebSocket(url);
  line.onopen = () => line.send(hello);
  line.onmessage = (event) => done(JSON.parse(event.data).kind);
  line.onclose = (event) => done(event.code);
})"""


def test_the_socket_opens_with_the_token_of_this_start_alone(dev: Dev, page: Page) -> None:
    page.goto(dev.url)
    url = dev.origin.replace("http", "ws") + "/__holdfast__/socket"
    token = page.evaluate("() => document.querySelector('script[data-token]').dataset.token")

    def said(hello: object) -> object:
        return page.evaluate(CONNECT, [json.dumps(hello), url])

    good = {"kind": "hello", "token": token, "state": 0}
    assert said(good) == "hello"
    for bad in ({**good, "token": "x"}, {**good, "token": None}, {"kind": "restart"}):
        assert said(bad) == 4001
    assert said([]) == 1008
    assert asked(dev, "/a.txt") == (200, b"inside")


def test_the_socket_is_not_for_pages_elsewhere(dev: Dev, page: Page, home: Home) -> None:
    """T28: a WebSocket knows no same-origin rule; the server has to."""
    folder = site(Path(home.environ["HOLDFAST_HOME"]) / "other", index_html="other")
    url = dev.origin.replace("http", "ws") + "/__holdfast__/socket"
    with developing(home, str(folder), "--headless") as other:
        page.goto(other.url)
        assert page.evaluate(CONNECT, ["{}", url]) == 1006


def test_the_token_is_in_no_address_and_no_process_list(dev: Dev, page: Page) -> None:
    """T28."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("websocket", lambda line: addresses.append(line.url))
    page.goto(dev.url)
    page.wait_for_load_state("networkidle")
    token = page.evaluate("() => document.querySelector('script[data-token]').dataset.token")

    assert addresses
    assert not [each for each in addresses if token in each]
    assert token not in dev.said
    assert token.encode() not in Path(f"/proc/{dev.process.pid}/cmdline").read_bytes()
