"""The documents tell the truth about the code."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import reference
from holdfast.cli.commands import COMMANDS
from holdfast.cli.parsing import parse
from holdfast.cli.topics import ABOUT
from holdfast.config.settings import settings
from holdfast.errors import BY_CODE
from holdfast.protocol.messages import EVENTS, NOTICES, REQUESTS

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]
WRITTEN = [*DOCS, *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", reference.pages())
def test_the_generated_reference_is_fresh(name: str) -> None:
    assert name not in reference.stale(), "run `make docs`"


def test_the_reference_names_every_code_message_setting_and_command() -> None:
    pages = reference.pages()

    for command in COMMANDS:
        assert f"## `hold {command.name}`" in pages["commands.md"]
    for code in BY_CODE:
        assert f"`{code}`" in pages["errors.md"]
    for kind in (*REQUESTS, *NOTICES, *EVENTS):
        assert f"### `{kind}`" in pages["protocol.md"]
    for setting in settings().values():
        assert f"`{setting.variable}`" in pages["settings.md"]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_architecture_fits_in_one_sitting() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) < 200


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_files_that_documents_name_are_there(page: Path) -> None:
    named = re.findall(
        r"`((?:src|tests|docs|tools|benchmarks|fuzz|locks)/[\w./-]+)`", page.read_text()
    )

    assert [name for name in named if not (ROOT / name).exists()] == []


def typed_lines(page: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("hold ") or line == "hold"]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_in_the_documents_can_be_typed(page: Path) -> None:
    for line in typed_lines(page):
        for part in re.split(r" (?:&&|\||;|[<>] ?\S+)", line.partition(" # ")[0]):
            words = shlex.split(part)
            if words[:1] == ["hold"]:
                assert parse(words[1:]).command, line


def said_in(source: Path) -> Iterator[str]:
    """The strings of a file that somebody may read: all but the docstrings."""
    nodes = list(ast.walk(ast.parse(source.read_text())))
    documented = [node.value for node in nodes if isinstance(node, ast.Expr)]
    constants = [node for node in nodes if isinstance(node, ast.Constant)]
    for node in constants:
        if isinstance(node.value, str) and node not in documented:
            yield node.value


def test_every_command_that_a_message_names_can_be_typed() -> None:
    said = [text for path in (ROOT / "src").rglob("*.py") for text in said_in(path)]
    named = {line for text in said for line in re.findall(r"`hold ([a-z]+(?: [a-z-]+)*)", text)}
    topics = {"help", *(f"help {topic}" for topic in ABOUT)}
    names = tuple(command.name for command in COMMANDS)

    assert named, "no message names a command"
    assert {line for line in named - topics if not line.startswith(names)} == set()


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    """A row without its test is a promise; a test that was renamed must not leave one."""
    page = (ROOT / "docs" / "reference" / "security.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and "tests |" not in line]
    places = {
        "": "host/test_security.py",
        "unit ": "unit/host",
        "order ": "host/test_order.py",
        "browser ": "browser",
    }
    for where, name in re.findall(r"(unit |order |browser )?`(test_\w+)`", page):
        place = ROOT / "tests" / places[where]
        files = [place] if place.is_file() else sorted(place.glob("test_*.py"))
        assert any(f"def {name}(" in file.read_text() for file in files), where + name

    assert [row for row in rows if not re.search(r"`test_\w+`", row)] == []
    assert len(rows) > 20
