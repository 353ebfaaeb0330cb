"""`--capture`: evidence of an app, without a display."""

import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dev.test_apps import APPS
from tests.support.developing import site
from tests.support.home import Home
from tests.support.pictures import SIGNATURE, ink

pytestmark = pytest.mark.slow


def captured(home: Home, code: int, shots: Path, *words: str, **environ: str) -> dict[str, Any]:
    """Run it without a display; return the result."""
    home.environ |= environ
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        home.environ.pop(name, None)
    run = home.failing if code else home.hold
    run("dev", *words[:1], "--capture", str(shots), *words[1:])
    assert {each.name for each in shots.iterdir()} >= {"app.log", "cli.log", "result.json"}
    found: dict[str, Any] = json.loads((shots / "result.json").read_text())
    assert found["ok"] is (code == 0)
    return found


def test_pages_are_captured(home: Home, tmp_path: Path) -> None:
    shots = tmp_path / "shots"

    result = captured(home, 0, shots, str(APPS / "page"), "--width", "700", "--height", "500")

    assert result["title"] == "A page of files"
    assert result["errors"] == []
    assert 0 < result["timings_ms"]["load"] <= result["timings_ms"]["settled"]
    assert "console.log: a page of files 1" in (shots / "app.log").read_text()
    picture = (shots / "screenshot.png").read_bytes()
    assert picture.startswith(SIGNATURE)
    assert struct.unpack(">II", picture[16:24]) == (700, 500)
    assert ink(shots / "screenshot.png", 0, 150) > 500


def test_a_program_is_captured_with_what_it_said(home: Home, tmp_path: Path) -> None:
    shots = tmp_path / "shots"

    result = captured(home, 0, shots, str(APPS / "python"), "--", sys.executable, "server.py")

    assert result["title"] == "A Python server"
    assert "console.log: since " in (shots / "app.log").read_text()
    assert "| listening on http://127.0.0.1:" in (shots / "cli.log").read_text()
    assert json.loads(home.hold("ls", "--json")) == []


BAD = """<!doctype html><title>bad</title><link rel="stylesheet" href="gone.css">
<script>alert("stop"); console.error("said"); Promise.reject(Error("left")); boom()</script>"""


def test_whatever_is_wrong_is_in_the_result(home: Home, tmp_path: Path) -> None:
    folder, shots = site(tmp_path / "bad", index_html=BAD), tmp_path / "shots"

    result = captured(home, 1, shots, str(folder))

    kinds = sorted(error["kind"] for error in result["errors"])
    assert kinds == ["exception", "load", "rejection"]
    assert result["title"] == "bad"
    log = (shots / "app.log").read_text()
    assert "console.error: said" in log
    assert "alert dialog: stop" in log
    assert (shots / "screenshot.png").read_bytes().startswith(SIGNATURE)


def test_a_program_that_dies_is_evidence_too(home: Home, tmp_path: Path) -> None:
    folder, shots = site(tmp_path / "app"), tmp_path / "shots"

    result = captured(home, 1, shots, str(folder), "--", "sh", "-c", "echo no licence; exit 4")

    assert [error["kind"] for error in result["errors"]] == ["start"]
    assert "| no licence" in (shots / "cli.log").read_text()


def test_where_there_is_no_browser_it_is_said_how_to_get_one(home: Home, tmp_path: Path) -> None:
    shots = tmp_path / "shots"

    result = captured(home, 1, shots, str(APPS / "page"), PATH=str(tmp_path))

    assert result["errors"][0]["text"] == "there is no Chromium here to look with"
    assert "apt install chromium" in (shots / "cli.log").read_text()


def test_a_browser_that_may_not_make_its_sandbox_is_named_with_the_fix(
    home: Home, tmp_path: Path
) -> None:
    """In a container, for all but root: it says so in five lines, and which option is dangerous."""
    shots, browser = tmp_path / "shots", tmp_path / "chromium"
    browser.write_text("#!/bin/sh\necho 'FATAL: No usable sandbox! If this is' >&2; exit 1\n")
    browser.chmod(0o755)

    result = captured(home, 1, shots, str(APPS / "page"), PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert "no user namespaces here" in result["errors"][0]["text"]
    assert "apt install chromium-sandbox" in (shots / "cli.log").read_text()


def test_a_place_that_cannot_be_written_is_said_before_anything_is_started(
    home: Home, tmp_path: Path
) -> None:
    started, in_the_way = tmp_path / "started", tmp_path / "file"
    in_the_way.touch()

    said = home.failing(
        "dev", str(tmp_path), "--capture", str(in_the_way / "shots"), "--", "touch", str(started)
    )

    assert f"nothing can be written into {in_the_way}/shots: Not a directory" in said
    assert "Traceback" not in said
    assert not started.exists()
