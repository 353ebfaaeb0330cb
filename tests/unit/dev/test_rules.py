"""The rules of `hold dev` that need no server: what a folder is, what counts as a change."""

from pathlib import Path, PurePosixPath

import pytest

from holdfast.dev.changes import REMEMBERED, History
from holdfast.dev.folder import Folder
from holdfast.dev.ignore import Ignored
from holdfast.dev.injecting import injected, tag, wants_script
from holdfast.dev.kinds import Pages, Script, kind_of
from holdfast.dev.ports import LENT_PORTS, Lent
from holdfast.dev.program import MOST_ADDRESSES, note_addresses, plain
from holdfast.dev.settling import RIPE, Look, Settling
from holdfast.dev.upstream import Address, address_of
from holdfast.errors import InvalidArgument

# -- what a folder is


def folder_with(root: Path, **files: str) -> Path:
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name.replace("__", "-").replace("_", ".")).write_text(text)
    return root


def script_of(root: Path) -> tuple[str, ...]:
    found = kind_of(str(root), [])
    assert isinstance(found, Script)
    return found.command(5000)


DEV = '{"scripts": {"dev": "%s"}}'


def test_a_folder_with_a_page_is_served(tmp_path: Path) -> None:
    root = folder_with(tmp_path / "a", index_html="", package_json='{"scripts": {}}')

    assert kind_of(str(root), []) == Pages(root=root)
    assert kind_of(str(root / "index.html"), []) == Pages(root=root)


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"package_json": DEV % "node server.js"}, ("npm", "run", "dev")),
        (
            {"package_json": DEV % "vite --open", "index_html": ""},
            ("npm", "run", "dev", "--", "--port", "5000", "--strictPort"),
        ),
        (
            {"package_json": DEV % "vite", "pnpm__lock_yaml": ""},
            ("pnpm", "run", "dev", "--port", "5000", "--strictPort"),
        ),
        ({"package_json": DEV % "vite && echo", "yarn_lock": ""}, ("yarn", "run", "dev")),
        ({"vite_config_ts": ""}, ("npx", "vite", "--port", "5000", "--strictPort")),
    ],
)
def test_a_dev_script_is_run_by_the_manager_of_the_project(
    files: dict[str, str], command: tuple[str, ...], tmp_path: Path
) -> None:
    assert script_of(folder_with(tmp_path / "a", **files)) == command


def test_what_can_not_be_shown_is_told(tmp_path: Path) -> None:
    empty = folder_with(tmp_path / "a")
    broken = folder_with(tmp_path / "b", package_json="{")
    for path in (empty, broken, tmp_path / "nothing"):
        with pytest.raises(InvalidArgument) as refused:
            kind_of(str(path), [])
        assert refused.value.fix


# -- what is ignored


@pytest.mark.parametrize(
    ("path", "is_ignored"),
    [
        ("a.js", False),
        ("build/a.js", True),
        ("deep/build/a.js", True),
        ("rooted/a.js", True),
        ("deep/rooted/a.js", False),
        ("a.log", True),
        ("keep.log", False),
        ("build/keep.log", True),
        ("deep/any/where/x.gen", True),
        ("own/local.txt", True),
        ("local.txt", False),
        ("a1.txt", True),
        ("ax.txt", False),
        ("hash#tag", True),
        ("node_modules/a.js", True),
        (".env", True),
        ("a.js~", True),
        (".a.js.swp", True),
        ("4913", True),
    ],
)
def test_gitignore_means_what_it_means_to_git(path: str, is_ignored: bool, tmp_path: Path) -> None:
    lines = ["# note", "build/", "/rooted", "*.log", "!keep.log", "deep/**/*.gen", "a[0-9].txt"]
    (tmp_path / ".gitignore").write_text("\n".join([*lines, "hash\\#tag", "[", ""]))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / ".gitignore").write_text("local.txt\n")

    assert Ignored(tmp_path, dotfiles=False).covers(PurePosixPath(path)) is is_ignored


# -- what is a change


class Files:
    """What is on a disk, and what was found to have changed."""

    def __init__(self, **contents: str) -> None:
        self.contents: dict[str, str | None] = {**contents}
        self.settling = Settling(self.look)

    def look(self, path: str) -> Look | None:
        text = self.contents.get(path)
        return None if text is None else Look(len(text), text.encode())

    def write(
        self, path: str, text: str | None, now: float, *, asked: bool = True, added: bool = False
    ) -> list[str]:
        self.contents[path] = text
        self.settling.touched(path, was_added=added, is_asked=asked, now=now)
        return self.settling.settled(now)


def test_a_content_is_a_change_once() -> None:
    files = Files()

    assert files.write("a", "1", 0) == ["a"]
    assert files.write("a", "1", 1) == []
    assert files.write("a", "2", 2) == ["a"]
    assert files.settling.deadline() is None


def test_an_empty_or_missing_file_waits_until_it_is_believed() -> None:
    for nothing in ("", None):
        files = Files()
        files.write("a", "1", 0)

        assert files.write("a", nothing, 1.0) == []
        assert files.settling.deadline() == 1.0 + RIPE
        assert files.settling.settled(1.0 + RIPE) == ["a"]
        assert files.write("a", "2", 2.0) == ["a"]


def test_a_file_that_was_empty_for_a_moment_is_one_change() -> None:
    files = Files()
    files.write("a", "1", 0)
    files.write("a", "", 1.0)

    assert files.write("a", "2", 1.1) == ["a"]
    assert files.settling.settled(9.0) == []


def test_what_comes_and_goes_within_a_moment_was_never_there() -> None:
    files = Files()

    assert files.write("tmp", "1", 0, asked=False, added=True) == []
    assert files.write("tmp", None, 0.01, asked=False) == []
    assert files.settling.settled(RIPE) == []


def test_what_a_page_was_given_first_is_known() -> None:
    files = Files(a="1")
    assert not files.settling.served("a", files.look("a"))
    files.contents["a"] = "2"

    assert files.settling.served("a", files.look("a"))
    assert files.write("a", "2", 1) == []


# -- states


def test_a_page_is_told_all_that_it_missed_at_once() -> None:
    history = History()
    history.note(["/a.css"])
    history.note(["/b.png", "/a.css"])
    change = history.since(0)
    assert change is not None
    assert (change.state, change.reloads, change.paths) == (2, False, ("/a.css", "/b.png"))
    history.note(["/a.js"])
    change = history.since(1)
    assert change is not None
    assert change.reloads
    assert history.since(3) is None


def test_a_page_of_an_unknown_state_loads_anew() -> None:
    history = History()
    for _ in range(REMEMBERED + 1):
        history.note(["/a.css"])

    for state in (0, REMEMBERED + 2, -1):
        change = history.since(state)
        assert change is not None
        assert change.reloads


# -- pages


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<!doctype html><html><head><title>x", "<!doctype html><html><head>|<title>x"),
        ("<!DOCTYPE html><HEAD lang=x>y", "<!DOCTYPE html><HEAD lang=x>|y"),
        ("<!-- <head> --><html><head>y", "<!-- <head> --><html><head>|y"),
        ("<!doctype html><header>y", "<!doctype html>|<header>y"),
        ("<html lang=x>y", "<html lang=x>|y"),
        ("plain", "|plain"),
        ("", "|"),
    ],
)
def test_the_script_stands_before_everything_but_the_doctype(before: str, after: str) -> None:
    assert injected(before.encode(), b"|").decode() == after


def test_what_no_page_asked_for_is_not_read_while_it_is_just_written() -> None:
    """A build that writes thousands of files had each of them read at every batch of events."""
    read: list[str] = []

    def look(path: str) -> Look:
        read.append(path)
        return Look(1, b"")

    settling = Settling(look)
    for number in range(100):
        settling.touched(f"/{number}", was_added=True, is_asked=False, now=number / 1000)
        assert settling.settled(number / 1000) == []
    assert read == []
    assert len(settling.settled(0.1 + RIPE)) == len(read) == 100


def test_what_a_script_fetches_is_left_as_it_is() -> None:
    assert wants_script("")
    assert wants_script("document")
    assert not wants_script("empty")


def test_a_nonce_of_the_page_is_ours_too() -> None:
    assert b' nonce="abc="' in tag("t", 1, "script-src 'nonce-abc=' 'strict-dynamic'")
    assert b"nonce" not in tag("t", 1, "script-src 'self'")


def test_a_redirect_never_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "evil.example").mkdir()
    found = Folder(tmp_path, dotfiles=False).find("//evil.example")

    assert found is not None
    assert found.path == tmp_path.resolve() / "evil.example"


# -- programs


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[36mhttp://localhost:\x1b[1m5173\x1b[22m/\r", "http://localhost:5173/"),
        ("10%\r50%\r100%", "100%"),
        ("\x1b]0;title\x07name\x07", "name"),
        ("\x1b[" * 50_000, ""),
    ],
)
def test_a_line_is_what_a_terminal_shows(line: str, shown: str) -> None:
    assert plain(line).replace("[", "") == shown.replace("[", "")


def test_of_a_server_that_prints_urls_for_days_few_are_remembered() -> None:
    """One that logs each request with its address made `hold dev` grow with each of them."""
    known: list[Address] = []
    note_addresses("open http://localhost:3000/, or http://elsewhere.example/", known)
    for number in range(10_000):
        note_addresses(f"GET http://localhost:3000/{number % 5000}", known)
        note_addresses("GET http://localhost:3000/", known)

    assert known[0] == Address(port=3000)
    assert len(known) == MOST_ADDRESSES
    assert len(set(known)) == len(known)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://0.0.0.0:8000/", ("localhost", 8000, "/")),
        ("http://[::1]:81", ("localhost", 81, "/")),
        ("127.0.0.1:8000/a?b", ("127.0.0.1", 8000, "/a?b")),
        ("http://app.localhost:3000", ("app.localhost", 3000, "/")),
    ],
)
def test_an_address_of_this_machine_is_one(url: str, where: tuple[str, int, str]) -> None:
    found = address_of(url)

    assert (found.name, found.port, found.path) == where


@pytest.mark.parametrize("url", ["http://example.com", "ftp://localhost", "http://:x", ""])
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidArgument):
        address_of(url)


def test_a_port_is_lent_once_and_lies_below_those_of_the_system(tmp_path: Path) -> None:
    first, second = Lent(tmp_path), Lent(tmp_path)
    try:
        assert first.port != second.port
        assert {first.port, second.port} <= set(LENT_PORTS)
    finally:
        first.close()
        second.close()
    again = Lent(tmp_path)
    again.close()
    assert again.port == first.port
