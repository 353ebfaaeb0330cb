"""The types of the library say what it does: everything public is stated, and misuse is caught."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import holdfast
from holdfast import blocking

ROOT = Path(__file__).parents[1]
HERE = ROOT / "tests" / "typing"
IGNORED = re.compile(r"  # type: ignore\[([\w, -]+)\]  # (.*)$")


def stated() -> set[str]:
    """Names and attributes that `api.py` uses."""
    nodes = list(ast.walk(ast.parse((HERE / "api.py").read_text())))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("library", [holdfast, blocking], ids=["async", "blocking"])
def test_everything_public_is_stated(library: object) -> None:
    public = set(getattr(library, "__all__", ()))
    for kind in ("Client", "Session", "Output"):
        public |= {name for name in dir(getattr(library, kind)) if not name.startswith("_")}

    # What sessions make calls with, for the library itself.
    assert public - stated() - {"typing"} == set()


def test_the_twins_have_the_same_names() -> None:
    assert set(holdfast.__all__) - {"__version__"} == set(blocking.__all__)
    for kind in ("Client", "Session"):
        ours, theirs = (dir(getattr(library, kind)) for library in (holdfast, blocking))
        assert [name for name in ours if not name.startswith("_")] == [
            name for name in theirs if not name.startswith("_")
        ]


def test_every_misuse_is_caught_with_the_words_beside_it(tmp_path: Path) -> None:
    lines = (HERE / "misuses.py").read_text().splitlines()
    expected = {
        number: (match[1].split(", "), match[2])
        for number, line in enumerate(lines, 1)
        if (match := IGNORED.search(line))
    }
    bare = tmp_path / "misuses.py"
    bare.write_text("\n".join(IGNORED.sub("", line) for line in lines) + "\n")

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-pretty", bare],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    found = re.findall(r"^.*:(\d+): error: (.*)  \[([\w-]+)\]$", done.stdout, re.MULTILINE)
    caught: dict[int, tuple[list[str], str]] = {}
    for line, words, code in found:
        codes, said = caught.get(int(line), ([], ""))
        caught[int(line)] = ([*codes, code], f"{said}{words}\n")
    assert len(expected) > 15
    assert set(caught) == set(expected)
    for number, (codes, words) in expected.items():
        assert set(caught[number][0]) == set(codes), lines[number - 1]
        assert words in caught[number][1], caught[number][1]
