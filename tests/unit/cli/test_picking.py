"""Choosing one of several sessions: what is typed, what is left, what it looks like."""

import pytest

from holdfast.cli.columns import cells
from holdfast.cli.picking import NEW, NOTHING, Choosing
from holdfast.protocol.messages import SessionInfo


def session(name: str, at: float, *argv: str, title: str = "") -> SessionInfo:
    return SessionInfo(
        id=f"id{name}", name=name, key="", state="running", recovery=None, pid=1, cwd="/",
        argv=list(argv) or ["sh"], cols=80, rows=24, offset=0, created=at, title=title,
    )  # fmt: skip


SESSIONS = [session("old", 1.0), session("web", 2.0, "npm", "run"), session("new", 3.0)]


@pytest.mark.parametrize(
    ("typed", "decided"),
    [
        (b"\r", "idnew"),
        (b"\x1b[B\r", "idweb"),
        (b"\x0e\x0e\r", "idold"),
        (b"\x1bOB\x1bOB\x1bOB\r", NEW),
        (b"\x1b[A\r", NEW),
        (b"\x0e\x10\r", "idnew"),
        (b"web\r", "idweb"),
        (b"NPM\r", "idweb"),
        (b"xyz\r", NEW),
        (b"xyz\x15\r", "idnew"),
        (b"webx\x7f\r", "idweb"),
        (b"\x1b", NOTHING),
        (b"\x03", NOTHING),
        (b"\x1b[5~\x1b[1;5C", ""),
        ("ü".encode(), ""),
    ],
)
def test_keys(typed: bytes, decided: str) -> None:
    assert Choosing(SESSIONS).press(typed) == decided


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (20, 5), (10, 3)])
@pytest.mark.parametrize("count", [0, 1, 3, 60])
def test_a_frame_fits(size: tuple[int, int], count: int) -> None:
    wide = "漢字" * 30
    many = [session(f"{number}-{wide}", float(number), title=wide) for number in range(count)]
    choosing = Choosing(many)
    for _ in range(count + 2):
        frame = choosing.frame([wide] * 100, size, 100.0)
        assert len(frame.lines) <= max(size[1], 5)
        assert all(cells(line) < size[0] for line in frame.lines)
        assert frame.lines[frame.chosen].startswith("> ")
        choosing.press(b"\x1b[B")


def test_the_choice_stays_while_sessions_come_and_go() -> None:
    choosing = Choosing(SESSIONS)
    choosing.press(b"\x1b[B")
    choosing.update([*SESSIONS, session("newest", 9.0)])

    assert choosing.press(b"\r") == "idweb"

    choosing.update(SESSIONS[:1])
    assert choosing.press(b"\r") in ("idold", NEW)


def test_the_end_of_a_screen_is_what_is_looked_at() -> None:
    lines = Choosing(SESSIONS).frame([f"line {n}" for n in range(100)], (80, 24), 5.0).lines

    assert "line 99" in lines
    assert "line 0" not in lines
