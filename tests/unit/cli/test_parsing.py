"""The table of commands is whole, and words become commands and values by it."""

import importlib
import subprocess
import sys

import pytest

from holdfast.cli.commands import BY_NAME, COMMANDS, GROUPS, Command
from holdfast.cli.exits import Usage
from holdfast.cli.helping import command_help, group_help, overview
from holdfast.cli.parsing import parse

SCREEN = (80, 24)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_handler(command: Command) -> None:
    module, _, name = command.handler.partition(":")

    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_help_of_a_command_fits_a_screen_and_has_two_examples(command: Command) -> None:
    lines = command_help(command).splitlines()

    assert len(lines) <= SCREEN[1]
    assert [line for line in lines[1:] if len(line) > SCREEN[0]] == []
    assert len(command.examples) == 2


@pytest.mark.parametrize("text", [overview(), *(group_help(name) for name in GROUPS)])
def test_the_overviews_fit_a_screen(text: str) -> None:
    assert len(text.splitlines()) <= SCREEN[1]
    assert max(len(line) for line in text.splitlines()) <= SCREEN[0]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_is_given_wherever_it_is_asked_for(command: Command, word: str) -> None:
    assert parse([*command.name.split(), word]).text == command_help(command)
    assert parse(["help", *command.name.split()]).text == command_help(command)


def test_help_behind_the_program_is_for_the_program() -> None:
    assert parse(["run", "make", "--help"]).values.program == ["make", "--help"]
    assert parse(["run", "--", "--help"]).values.program == ["--help"]
    assert parse(["run", "-n", "x", "make", "-h"]).text == ""


@pytest.mark.parametrize(
    ("words", "program"),
    [
        ("run", []),
        ("run -d", []),
        ("run -d -- sh -c x", ["sh", "-c", "x"]),
        ("run -d sh -c x", ["sh", "-c", "x"]),
        ("run -- -d", ["-d"]),
        ("run --", []),
        ("run npm run -- --watch", ["npm", "run", "--", "--watch"]),
        ("run -- npm run -- --watch", ["npm", "run", "--", "--watch"]),
    ],
)
def test_where_the_program_begins(words: str, program: list[str]) -> None:
    assert parse(words.split()).values.program == program


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("run -d -n a -k b", {"detach": True, "name": "a", "key": "b", "cwd": None}),
        ("run --env A=1 --env B=2", {"env": ["A=1", "B=2"], "detach": False}),
        ("run --size 10x20 --cwd /", {"size": "10x20", "cwd": "/"}),
        ("ls --json --all", {"json": True, "all": True}),
        ("output x --since 5 --until 7", {"id": "x", "since": 5, "until": 7, "raw": False}),
        ("output --raw --follow x", {"id": "x", "since": None, "raw": True, "follow": True}),
        ("send x make test --enter", {"id": "x", "text": ["make", "test"], "enter": True}),
        ("send x -- -n", {"text": ["-n"]}),
        ("kill --all --now", {"id": [], "all": True, "now": True}),
        ("kill a b c", {"id": ["a", "b", "c"], "all": False}),
        ("signal a b INT", {"id": ["a", "b"], "signal": "INT"}),
        ("resize a 80x24", {"id": ["a"], "size": "80x24"}),
        ("send x --keys C-c,Up", {"id": "x", "text": [], "keys": "C-c,Up"}),
        ("daemon logs -f", {"process": None, "follow": True}),
        ("daemon stop --yes", {"yes": True}),
        ("daemon status --json", {"json": True}),
    ],
)
def test_values(words: str, expected: dict[str, object]) -> None:
    values = vars(parse(words.split()).values)

    assert {name: values[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        ("at", "there is no command 'at'", "did you mean `hold attach`?"),  # `wait` is as close
        ("lss", "there is no command 'lss'", "did you mean `hold ls`?"),
        ("ouput x", "there is no command 'ouput'", "did you mean `hold output`?"),
        (
            "daemon sttus",
            "there is no command 'daemon sttus'",
            "did you mean `hold daemon status`?",
        ),
        ("daemon frob", "there is no command 'daemon frob'", "`hold --help` lists every command"),
        ("daemn", "there is no command 'daemn'", "did you mean `hold daemon`?"),
        ("zzzz", "there is no command 'zzzz'", "`hold --help` lists every command"),
        ("help zzzz", "there is no command 'zzzz'", "`hold --help` lists every command"),
        ("--foo", "there is no option '--foo'", "`hold --help` lists what there is"),
        ("ls --jsn", "ls: unrecognized arguments: --jsn", "did you mean --json? `hold ls --help`"),
        ("output", "output: the following arguments are required: ID", "usage: hold output ID"),
        ("output x --since -1", "output: argument --since", "usage: hold output ID"),
        ("output x --since ²", "output: argument --since: invalid number", "usage: hold output ID"),
        ("run --de", "run: unrecognized arguments: --de", "did you mean --detach?"),
        ("kill x --al", "kill: unrecognized arguments: --al", "did you mean --all?"),
        ("help kes", "there is no command 'kes'", "did you mean `hold help keys`?"),
    ],
)
def test_mistakes_say_what_was_wrong_and_what_to_write(words: str, what: str, fix: str) -> None:
    with pytest.raises(Usage) as caught:
        parse(words.split())

    assert caught.value.what.startswith(what)
    assert caught.value.fix.startswith(fix)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["run", "--help"]])
def test_help_and_version_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from holdfast.cli import main; main();"
        "print(*sorted({'asyncio', 'msgspec', 'holdfast.config', 'socket'} & set(sys.modules)),"
        " file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )

    assert done.stdout
    assert done.stderr.strip() == ""


def test_names_in_the_table_are_unique() -> None:
    assert len(BY_NAME) == len(COMMANDS)
