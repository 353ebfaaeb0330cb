"""The guide of the library can be believed: each of its blocks runs, and prints what it says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.home import ROOT, running_home

GUIDE = ROOT / "docs" / "guides" / "python.md"
# A block, and behind it perhaps what it prints.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """One script of the guide."""

    name: str
    source: str
    printed: str | None


def blocks() -> list[Block]:
    text = GUIDE.read_text()
    found = []
    for match in BLOCK.finditer(text):
        heading = re.findall(r"^## (.*)$", text[: match.start()], re.MULTILINE)[-1]
        twin = "async" if "async with" in match[1] else "blocking"
        found.append(Block(f"{heading}, {twin}", match[1], match[2]))
    return found


def test_every_part_shows_both_twins() -> None:
    names = [block.name for block in blocks()]
    parts = dict.fromkeys(name.rpartition(", ")[0] for name in names)

    assert len(GUIDE.read_text().split("```python\n")) == len(names) + 1
    assert names == [f"{part}, {twin}" for part in parts for twin in ("async", "blocking")]


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.name)
def test_a_block_of_the_guide_runs(block: Block, tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block.source],
            env={**home.environ, "PYTHONPATH": str(ROOT / "src")},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")
    assert block.printed in (None, done.stdout)


@pytest.mark.slow
def test_the_blocks_of_the_guide_are_typed(tmp_path: Path) -> None:
    for number, block in enumerate(blocks()):
        (tmp_path / f"block_{number}.py").write_text(block.source)

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
