"""How the page is built: when, once, whole, and what is said when it cannot be."""

from pathlib import Path

import pytest

import node
import page


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a tree whose packages are there, and whose builder writes what it was given."""
    directory = tmp_path / "web"
    (directory / "src").mkdir(parents=True)
    for name in ("package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"):
        (directory / name).write_text(name)
    (directory / "index.html").write_text("first")
    builder = directory / "node_modules/vite/bin/vite.js"
    builder.parent.mkdir(parents=True)
    builder.write_text("cp index.html src/* $3/ 2>/dev/null; echo built >>builds")
    for name, path in {
        "WEB": directory,
        "MODULES": directory / "node_modules",
        "INSTALLED": directory / "node_modules/.holdfast",
        "PAGE": tmp_path / "page",
        "STATE": tmp_path,
        "BUILT": tmp_path / "stamp",
    }.items():
        monkeypatch.setattr(page, name, path)
    program = tmp_path / "node"
    program.write_text('#!/bin/sh\nmkdir -p "$4"\nset -- "$1" "$2" "$4"\n. "$1"\n')
    program.chmod(0o755)
    monkeypatch.setattr(node, "node", lambda: program)
    monkeypatch.setattr(node, "install", lambda _: ["sh", "-c", "echo installed >>installs"])
    return directory


def count(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_it_is_built_once(web: Path) -> None:
    page.build()
    page.build()
    assert (count(web / "builds"), count(web / "installs")) == (1, 1)
    assert page.is_built()
    assert page.has_parts()


def test_it_is_built_again_when_a_source_has_changed(web: Path) -> None:
    page.build()
    (web / "src/new.ts").write_text("more")
    assert not page.is_built()
    page.build()
    assert sorted(path.name for path in page.PAGE.iterdir()) == ["index.html", "new.ts"]
    assert (count(web / "builds"), count(web / "installs")) == (2, 1)


def test_a_date_is_no_change(web: Path) -> None:
    page.build()
    (web / "index.html").touch()
    assert page.is_built()


def test_another_lock_is_installed_anew(web: Path) -> None:
    page.build()
    (web / "package-lock.json").write_text("other versions")
    page.build()
    assert (count(web / "builds"), count(web / "installs")) == (2, 2)


def test_what_was_built_before_is_gone(web: Path) -> None:
    (web / "src/old.ts").write_text("old")
    page.build()
    (web / "src/old.ts").unlink()
    page.build()
    assert [path.name for path in page.PAGE.iterdir()] == ["index.html"]
    assert not page.PAGE.with_name("page.old").exists()


def test_checks_and_tests_get_their_parts_of_a_page_that_is_built(web: Path) -> None:
    page.build()
    page.INSTALLED.unlink()
    page.build()
    assert count(web / "installs") == 1
    page.build(parts=True)
    assert (count(web / "installs"), count(web / "builds")) == (2, 1)


def test_a_failure_leaves_the_page_that_was_there_and_says_why(web: Path) -> None:
    page.build()
    (web / "index.html").write_text("second")
    (web / "node_modules/vite/bin/vite.js").write_text("echo no such letter: ß; exit 1")
    with pytest.raises(page.BuildError, match=r"vite failed\. It said:\nno such letter: ß"):
        page.build()
    assert (page.PAGE / "index.html").read_text() == "first"
    assert not page.is_built()


def test_without_node_it_is_said_where_to_get_one(
    web: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "node", lambda: None)
    with pytest.raises(page.BuildError, match=r"needs Node 22\.12 or newer"):
        page.build()
