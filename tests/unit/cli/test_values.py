"""What the command line asks the daemon for."""

from argparse import Namespace

import pytest

from holdfast.cli.exits import Usage
from holdfast.cli.parsing import parse
from holdfast.cli.starting import create_request, session_environment


def values(words: str) -> Namespace:
    return parse(["run", *words.split()]).values


def test_a_shell_is_what_runs_without_a_program() -> None:
    assert create_request(values(""), {"SHELL": "/bin/zsh"}).argv == [b"/bin/zsh"]
    assert create_request(values(""), {}).argv == [b"/bin/sh"]


def test_arguments_need_not_be_utf8() -> None:
    words = Namespace(**{**vars(values("")), "program": ["cat", "\udcff"]})

    assert create_request(words, {}).argv == [b"cat", b"\xff"]


@pytest.mark.parametrize(
    ("environ", "changes", "expected"),
    [
        ({"COLUMNS": "1", "LINES": "2", "TERM": "foot", "A": "b"}, [], {"TERM": "foot", "A": "b"}),
        ({}, [], {"TERM": "xterm-256color"}),
        ({"TERM": ""}, [], {"TERM": "xterm-256color"}),
        ({"TERM": "dumb"}, [], {"TERM": "xterm-256color"}),
        ({"TERM": "vt100", "A": "b"}, ["A=c=d", "E="], {"TERM": "vt100", "A": "c=d", "E": ""}),
        ({"TERM": "vt100"}, ["TERM=dumb"], {"TERM": "dumb"}),
    ],
)
def test_the_environment(
    environ: dict[str, str], changes: list[str], expected: dict[str, str]
) -> None:
    found = session_environment(environ, changes)

    assert found == {name.encode(): text.encode() for name, text in expected.items()}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--size 80", "--size '80' is no size"),
        ("--size 0x5", "--size '0x5' is no size"),
        ("--size 9999x5", "--size '9999x5' is no size"),
        ("--env A", "--env 'A' sets nothing"),
        ("--env =b", "--env '=b' sets nothing"),
        ("-n \x1b", "--name '\\x1b' cannot be used"),
        ("-k " + "x" * 257, "--key 'xxxx"),
    ],
)
def test_values_that_cannot_be_used_are_named(words: str, what: str) -> None:
    with pytest.raises(Usage) as caught:
        create_request(values(words), {})

    assert caught.value.what.startswith(what)
    assert caught.value.fix


def test_a_size_and_a_directory() -> None:
    request = create_request(values("--size 120X40 --cwd /usr/../tmp"), {})

    assert (request.cols, request.rows, request.cwd) == (120, 40, b"/tmp")
