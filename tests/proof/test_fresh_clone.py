"""The two commands in a fresh clone: at once, again, after a move, after damage."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
VERSION = ["make", "--no-print-directory", "run", "ARGS=--version"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of what is committed, with nothing prepared."""
    path = tmp_path / "a place with spaces"
    subprocess.run(["git", "clone", "--quiet", ROOT, path], check=True)
    return path


def make_run(tree: Path, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        VERSION,
        cwd=tree,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a `make run` that must work; return what its preparation said."""
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert out.startswith("holdfast ")
    return err


def test_two_makes_at_once_prepare_once(clone: Path) -> None:
    said = [finish(process) for process in [make_run(clone), make_run(clone)]]
    assert sorted(text.count("creating .venv") for text in said) == [0, 1]
    assert sum("waiting for another make" in text for text in said) == 1


def test_a_prepared_tree_is_not_prepared_again(clone: Path) -> None:
    finish(make_run(clone))
    assert finish(make_run(clone)) == ""


def test_a_moved_tree_prepares_itself_anew(clone: Path) -> None:
    finish(make_run(clone))
    moved = clone.rename(clone.with_name("moved"))
    assert "creating .venv" in finish(make_run(moved))


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Path) -> None:
    finish(make_run(clone))
    (clone / ".venv/bin/python3").unlink()
    assert "creating .venv" in finish(make_run(clone))


def test_an_environment_left_half_made_is_made_anew(clone: Path) -> None:
    finish(make_run(clone))
    shutil.rmtree(clone / ".venv/.prepared")
    assert "creating .venv" in finish(make_run(clone))


def test_pip_takes_over_where_uv_reaches_nothing(clone: Path, tmp_path: Path) -> None:
    """A company's mirror may be known to pip alone."""
    said = finish(make_run(clone, UV_OFFLINE="1", UV_CACHE_DIR=str(tmp_path / "empty")))
    assert "installing packages … uv failed, trying pip … done" in said
    assert "installing holdfast … done" in said
