"""What needs no window: links, sizes, arguments, the lines of the pipe, the place on the screen."""

import os
import socket
import stat
from pathlib import Path

import pytest

from holdfast.window import display, missing, place
from holdfast.window.asked import Asked, Look, parse, words_of
from holdfast.window.keeping import Kept
from holdfast.window.links import Leads, leads

SHOWN = "http://127.0.0.1:7717/#/s/ab12cd?code=xyz"


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://127.0.0.1:7717/", Leads.HERE),
        ("http://127.0.0.1:7717/export?x=1", Leads.HERE),
        ("http://127.0.0.1:7718/", Leads.OUTSIDE),  # T29: another program
        ("https://127.0.0.1:7717/", Leads.OUTSIDE),
        ("http://localhost:7717/", Leads.OUTSIDE),
        ("https://example.org/a", Leads.OUTSIDE),
        ("http://127.0.0.1:7717@example.org/", Leads.OUTSIDE),
        ("http://example.org:99999/", Leads.NOWHERE),
        ("http:///nothing", Leads.NOWHERE),
        ("file:///etc/passwd", Leads.NOWHERE),
        ("javascript:alert(1)", Leads.NOWHERE),
        ("ssh://box", Leads.NOWHERE),
        ("mailto:a@example.org", Leads.NOWHERE),
        ("", Leads.NOWHERE),
    ],
)
def test_a_link_leads_here_outside_or_nowhere(url: str, where: Leads) -> None:
    assert leads(url, SHOWN) is where


def test_a_default_port_is_the_one_that_is_not_written() -> None:
    assert leads("https://example.org/b", "https://example.org:443/") is Leads.HERE


@pytest.mark.parametrize(
    "look",
    [
        Look(),
        Look(width=900, height=600, title="--two words", debug=True, keep=Path("/a b")),
    ],
)
def test_what_is_asked_arrives_as_it_was_asked(look: Look) -> None:
    asked = Asked("-", look)

    assert parse(words_of(asked)) == asked


@pytest.mark.parametrize("pixels", ["0", "199", "16385", "-5", "wide"])
def test_a_size_that_no_window_has_is_refused(pixels: str) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["-", f"--width={pixels}"])

    assert refused.value.code == 2


def test_a_place_that_cannot_be_kept_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "place"

    assert place.read(file) == b""
    place.write(file, b"here")
    assert place.read(file) == b"here"
    place.write(tmp_path / "no" / "place", b"here")
    assert [each.name for each in tmp_path.iterdir()] == ["place"]


def test_one_window_at_a_time_has_the_storage(tmp_path: Path) -> None:
    with Kept.of(tmp_path / "window") as first, Kept.of(tmp_path / "window") as second:
        assert first.storage == tmp_path / "window" / "storage"
        assert second.storage is None
        assert second.place == first.place
    with Kept.of(tmp_path / "window") as third:
        assert third.storage is not None


def test_a_window_that_keeps_nothing_writes_nowhere(tmp_path: Path) -> None:
    """It once kept its place in the null device: as root that put a file in its place."""
    with Kept.of(None) as kept:
        assert kept == Kept(None, None)
        assert place.read(kept.place) == b""
        place.write(kept.place, b"here")

    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_display_is_one_that_answers(tmp_path: Path) -> None:
    here = tmp_path / "wayland-7"
    environ = {"WAYLAND_DISPLAY": here.name, "XDG_RUNTIME_DIR": str(tmp_path)}

    assert display.trouble(environ) == "no display answers at WAYLAND_DISPLAY=wayland-7"
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(here))
        compositor.listen()
        assert display.trouble(environ) == ""
        assert display.trouble({**environ, "DISPLAY": ":4711"}) == ""


@pytest.mark.parametrize("name", ["", "nonsense", ":4711.0", "unix:4711", "localhost:4711.0"])
def test_an_x_server_that_is_not_there_does_not_answer(name: str) -> None:
    assert not display.answers_x(name)


def test_libraries_that_are_missing_are_named_as_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "ALWAYS", {"libc.so.6": "libc6", "libkelp.so.1": "libkelp1"})

    found = missing.libraries(under_x=False)

    assert found == {"libkelp.so.1": "libkelp1"}
    monkeypatch.setenv("PATH", "")
    assert missing.remedy(found) == "install the packages of your system that have them"
