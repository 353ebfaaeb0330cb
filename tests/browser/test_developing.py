"""`make dev`: the page as it is written, with real sessions."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Browser, WebSocket, expect

from tests.support.home import ROOT, Home

pytestmark = pytest.mark.slow


def test_the_page_is_shown_with_real_sessions_while_it_is_written(
    home: Home, browser: Browser
) -> None:
    command = [sys.executable, str(ROOT / "tools" / "develop.py"), "--headless"]
    with subprocess.Popen(
        command, env=home.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as tool:
        try:
            assert tool.stdout is not None
            said = ""
            while not (address := re.search(r"open (http://\S+)", said)):
                line = tool.stdout.readline()
                assert line, said
                said += line
            code = re.search(r"log in with +(\S+)", said)
            assert code is not None
            page = browser.new_page()
            sockets: list[WebSocket] = []

            def note(socket: WebSocket) -> None:
                sockets.append(socket)

            page.on("websocket", note)

            page.goto(address[1])
            page.get_by_role("textbox").fill(code[1])
            page.keyboard.press("Enter")

            expect(page.get_by_text("Connected", exact=True)).to_be_visible(timeout=30_000)
            # Vite's own, over which it says what has changed, beside those of the page.
            assert any(
                "token=" in socket.url and "socket.io" not in socket.url for socket in sockets
            )
            page.close()
        finally:
            tool.terminate()
            tool.communicate()
    left = home.hold("ls", "--json")
    assert "vite.js" not in left
    assert '"key": "make-run"' in left
