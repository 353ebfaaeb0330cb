"""The manual pages are those of the table, and roff can read them."""

import re
import shutil
import subprocess

import pytest

import manpages
from holdfast.cli.commands import COMMANDS


def test_the_pages_are_fresh() -> None:
    assert manpages.stale() == [], "run `make docs`"


def test_every_command_has_a_page_and_is_on_the_first_one() -> None:
    pages = manpages.pages()

    for command in COMMANDS:
        title = "-".join(["hold", *command.name.split()])
        assert f".TH {title.upper()} 1" in pages[f"{title}.1"]
        assert title.replace("-", "\\-") in pages["hold.1"]


@pytest.mark.parametrize("name", manpages.pages())
def test_nothing_in_a_page_is_roff_by_mistake(name: str) -> None:
    """What no roff has to be installed for: requests are known, and text begins no request."""
    known = {"TH", "SH", "SS", "TP", "PP", "B", "BR", "nf", "fi", "sp", "so"}
    lines = manpages.pages()[name].splitlines()

    assert {line[1:3].strip() for line in lines if line[:1] == "."} <= known | {'\\"'}
    assert [line for line in lines if line[:1] == "'"] == []
    for line in lines[1:]:
        # Every backslash begins something that is known.
        assert re.fullmatch(r"(?:[^\\]|\\(?:e|-|&|f[BIR]))*", line), line


@pytest.mark.slow
def test_a_real_man_shows_what_was_meant() -> None:
    roff = shutil.which("groff")
    if roff is None:
        return  # the test above is for machines like that
    shown = ""
    for name in manpages.pages().keys() - {"holdfast.1"}:
        done = subprocess.run(
            [roff, "-man", "-Tascii", "-ww", "-P-c", manpages.MAN / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), name
        shown += re.sub(".\b", "", done.stdout)

    assert shown.count("SYNOPSIS") == len(COMMANDS) + 1
    assert shown.count("EXAMPLES") == len(COMMANDS)
