"""An app behind our address: started, shown, ended, started again."""

import http.client
import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import node
from tests.support.developing import Dev, developing, site
from tests.support.home import ROOT, Home, until

pytestmark = pytest.mark.slow

APPS = ROOT / "examples" / "apps"
PYTHON = ("--", sys.executable, "server.py")

# Says what it was asked with; ends, streams and speaks WebSocket (RFC 6455 by hand) when told to.
SERVER = """
import base64, hashlib, json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.answer("text/plain", self.rfile.read(length))
    def do_GET(self):
        if self.path == "/socket": return self.echo()
        if self.path == "/end":
            print("cannot go on: the moon is full", flush=True)
            os._exit(3)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/there?x=1")
            return self.end_headers()
        if self.path == "/facts":
            headers = {k.title(): v for k, v in self.headers.items()}
            facts = json.dumps({"headers": headers, "environ": dict(os.environ)})
            return self.answer("application/json", facts.encode())
        page = "<!doctype html><head><title>it</title></head>"
        page += f"<h1 id=a>{os.getpid()} {self.path}</h1>"
        self.answer("text/html", page.encode())
    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", "same")
        self.end_headers()
        self.wfile.write(body)
    def echo(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept",
            base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        while True:
            head = self.rfile.read(2)
            size = head[1] & 127
            if size == 126: size = int.from_bytes(self.rfile.read(2))
            mask, data = self.rfile.read(4), self.rfile.read(size)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
            if head[0] & 15 == 8: return
            data = f"{self.headers['Origin']} {self.headers['Host']} ".encode() + data
            self.wfile.write(bytes([head[0], 126]) + len(data).to_bytes(2) + data)
            self.wfile.flush()
port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"\\x1b[32mlistening\\x1b[0m on http://127.0.0.1:{server.server_port}/start", flush=True)
server.serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return site(tmp_path / "app", server_py=SERVER)


def asked(dev: Dev, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    host, port = dev.origin.removeprefix("http://").split(":")
    line = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        line.close()


def test_a_program_is_found_by_what_it_prints_and_ends_with_us(
    home: Home, page: Page, folder: Path
) -> None:
    with developing(home, str(folder), "--headless", *PYTHON) as dev:
        assert dev.url == f"{dev.origin}/start"
        page.goto(dev.url)
        pid, path = page.inner_text("#a").split()
        assert path == "/start"
        (session,) = json.loads(home.hold("ls", "--json"))
        assert session["name"] == "dev app"
        assert dev.end() == 0
    assert not Path(f"/proc/{pid}").exists()
    assert json.loads(home.hold("ls", "--json")) == []


def test_an_app_that_dies_is_started_again_under_its_page(
    home: Home, page: Page, folder: Path
) -> None:
    with developing(home, str(folder), "--headless", *PYTHON) as dev:
        page.goto(dev.url)
        first = page.inner_text("#a")
        page.evaluate("() => fetch('/end').catch(() => 0)")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("has ended with exit code 3", timeout=20_000)
        expect(alert).to_contain_text("cannot go on: the moon is full")
        dev.hears("has ended with exit code 3")
        page.get_by_role("button", name="Restart").click()
        page.wait_for_function(
            "before => document.getElementById('a')?.textContent && "
            "document.getElementById('a').textContent !== before",
            arg=first,
        )
        expect(alert).to_have_count(0)
        assert page.url == dev.url


def test_who_comes_while_the_app_is_dead_is_told_and_comes_back_with_it(
    home: Home, page: Page, folder: Path
) -> None:
    with developing(home, str(folder), "--headless", *PYTHON) as dev:
        asked(dev, "/end")
        dev.hears("has ended with exit code 3")
        assert asked(dev, "/", Accept="text/html")[0] == 502
        page.goto(dev.url)
        page.get_by_role("button", name="Restart").click()
        page.wait_for_selector("#a", timeout=20_000)
        assert page.inner_text("#a").endswith("/start")


def test_a_websocket_of_the_app_passes_both_ways(home: Home, page: Page, folder: Path) -> None:
    with developing(home, str(folder), "--headless", *PYTHON) as dev:
        page.goto(dev.url)
        echoed = page.evaluate(
            """() => new Promise((done, fail) => {
              const line = new WebSocket(location.origin.replace("http", "ws") + "/socket");
              line.onopen = () => line.send("x".repeat(1000));
              line.onmessage = (event) => done(event.data);
              line.onerror = fail;
            })"""
        )
        origin, host, text = echoed.split(" ")
        assert text == "x" * 1000
        assert origin == f"http://{host}"
        assert host != dev.origin.removeprefix("http://")


def test_the_app_gets_what_is_asked_and_never_our_token(
    home: Home, page: Page, folder: Path
) -> None:
    """T29: whatever the app is given, what opens our own doors is not in it."""
    with developing(home, str(folder), "--headless", *PYTHON) as dev:
        page.goto(dev.url)
        token = page.evaluate("() => document.querySelector('script[data-token]').dataset.token")
        facts = page.evaluate("() => fetch('/facts').then(answer => answer.text())")
        assert len(token) >= 32
        assert token not in facts
        # What a script fetches is a part of a page, and no page of its own.
        part = page.evaluate("() => fetch('/').then(answer => answer.text())")
        assert "<title>it</title>" in part
        assert token not in part
        headers = json.loads(facts)["headers"]
        assert headers["Host"] == headers["Referer"].split("/")[2]
        sent = page.evaluate(
            "() => fetch('/post', {method: 'POST', body: 'y'.repeat(300000)}).then(a => a.text())"
        )
        assert sent == "y" * 300_000
        status, back, _ = asked(dev, "/away")
        assert (status, back["location"]) == (302, "/there?x=1")
        status, back, body = asked(dev, "/", Accept="text/html")
        assert "etag" not in back
        assert body.index(b"data-token") < body.index(b"<title>")


def test_a_given_url_is_believed(home: Home, folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = ["--", sys.executable, "server.py", str(port)]
    url = f"http://localhost:{port}/given?q=1"
    with developing(home, str(folder), "--headless", "--url", url, *argv) as dev:
        assert dev.url == f"{dev.origin}/given?q=1"
        assert b"/given?q=1" in asked(dev, "/given?q=1")[2]


def test_a_program_that_dies_at_once_is_shown_with_its_last_words(
    home: Home, tmp_path: Path
) -> None:
    folder = site(tmp_path / "app")
    dev = Dev(home, str(folder), "--headless", "--", "sh", "-c", "echo no licence; exit 4")
    dev.hears("has ended with exit code 4")
    assert dev.process.wait(20) == 1
    dev.end()
    assert "no licence" in dev.said
    assert "`hold output " in dev.said
    assert "Traceback" not in dev.said


def test_a_program_that_is_not_there_is_told(home: Home, tmp_path: Path) -> None:
    folder = site(tmp_path / "app")

    said = home.failing("dev", str(folder), "--headless", "--", "no-such-program")

    assert "no-such-program" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_program_while_it_is_still_starting(
    number: int, home: Home, tmp_path: Path
) -> None:
    dev = Dev(home, str(site(tmp_path / "app")), "--headless", "--", "sleep", "600")
    dev.hears("waiting for")
    assert dev.end(number) == 0
    assert json.loads(home.hold("ls", "--json")) == []


def test_a_dev_script_gets_a_port_and_a_taken_one_is_not_lent(
    home: Home, page: Page, tmp_path: Path
) -> None:
    program = node.node()
    assert program is not None
    folder = shutil.copytree(APPS / "node", tmp_path / "app")
    # As on a machine with npm; what comes as a package has a node and no npm to start it with.
    tools = tmp_path / "bin"
    tools.mkdir()
    npm = tools / "npm"
    npm.write_text(f'#!/bin/sh\ntest "$*" = "run dev" && exec "{program}" server.js\n')
    npm.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    with (
        developing(home, str(folder), "--headless", PATH=path) as dev,
        developing(home, str(folder), "--headless", PATH=path) as other,
    ):
        assert dev.origin != other.origin
        for each in (dev, other):
            page.goto(each.url)
            expect(page.locator("#said")).to_contain_text("running as process", timeout=20_000)


def test_a_taken_port_is_told_with_a_way_out(home: Home, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html="x")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = home.failing("dev", str(folder), "--headless", "--port", port)
    assert said.splitlines() == [
        f"hold: --port: cannot be used: address already in use (got {port})",
        "      choose another, or leave it out for one that is free",
    ]


def test_two_of_one_folder_have_two_addresses(home: Home, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html="x")
    with (
        developing(home, str(folder), "--headless") as one,
        developing(home, str(folder), "--headless") as two,
    ):
        assert until(lambda: one.origin, "one") != until(lambda: two.origin, "the other")
