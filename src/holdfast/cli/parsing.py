"""From words to a command and its values, and the help. All of it comes from the table."""

from argparse import REMAINDER, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from holdfast.cli.commands import BY_NAME, COMMANDS, GROUPS, Argument, Command
from holdfast.cli.exits import Usage

HELP_WORDS = ("-h", "--help")
SCREEN_WIDTH = 80


class Parsed(NamedTuple):
    """What was asked for: a command with its values, or a text to print."""

    command: Command | None
    values: Namespace
    text: str = ""


def parse(words: Sequence[str]) -> Parsed:
    """Return the command that *words* call; raise Usage."""
    if not words or words[0] in HELP_WORDS or words[0] == "help":
        return _help(list(words[1:]) if words[:1] == ["help"] else [])
    name, rest = _command_name(words)
    if name in GROUPS:
        if rest and rest[0] not in HELP_WORDS:
            raise _unknown(f"{name} {rest[0]}")
        return Parsed(None, Namespace(), group_help(name))
    command = BY_NAME[name]
    return Parsed(command, _values(command, rest), _asked_help(command, rest))


def _command_name(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the longest name of a command or group that *words* begin with, and the rest."""
    for count in (2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and (name in BY_NAME or name in GROUPS):
            return name, list(words[count:])
    if words[0].startswith("-"):
        raise Usage(f"there is no option {words[0]!r}", "`hold --help` lists what there is")
    raise _unknown(words[0])


def _unknown(name: str) -> Usage:
    import difflib  # noqa: PLC0415 - only for mistakes

    names = [*BY_NAME, *GROUPS]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    fix = f"did you mean `hold {close[0]}`?" if close else "`hold --help` lists every command"
    return Usage(f"there is no command {name!r}", fix)


# -- values


class _Parser(ArgumentParser):
    def __init__(self, command: Command) -> None:
        super().__init__(prog=f"hold {command.name}", add_help=False, allow_abbrev=False)
        self.command = command

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{self.command.name}: {message}", f"usage: {self.command.usage}")


def _values(command: Command, words: list[str]) -> Namespace:
    own, dashes, program = words, False, list[str]()
    if command.takes_program and "--" in words:
        at = words.index("--")
        own, dashes, program = words[:at], True, words[at + 1 :]
    if _wants_help(command, own):
        return Namespace()
    parser = _Parser(command)
    for argument in command.arguments:
        parser.add_argument(*_names(argument), **_settings(argument))
    if command.takes_program and not command.takes_own_words:
        parser.add_argument("program", nargs=REMAINDER)
    values = parser.parse_args(own)
    if command.takes_program and command.takes_own_words:
        values.program = program
        return values
    if command.takes_program and dashes:
        # `run npm run -- --watch`: dashes after the program's name are the program's.
        values.program = [*values.program, "--", *program] if values.program else program
    return values


def _names(argument: Argument) -> tuple[str, ...]:
    return argument.names if argument.is_option else (argument.field,)


def _settings(argument: Argument) -> dict[str, Any]:
    kind: dict[str, Any] = {"type": _number} if argument.number else {}
    if argument.is_option:
        if not argument.value:
            return {"action": "store_true", "dest": argument.field}
        action = "append" if argument.repeats else "store"
        return {"action": action, "dest": argument.field, **kind}
    many = "*" if argument.repeats else "?"
    return {"metavar": argument.names[0], **({"nargs": many} if argument.optional else {}), **kind}


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError
    return int(text)


_number.__name__ = "offset"  # argparse names the function in "invalid ... value"


# -- help


def _asked_help(command: Command, words: list[str]) -> str:
    return command_help(command) if _wants_help(command, words) else ""


def _wants_help(command: Command, words: list[str]) -> bool:
    options = {name: each for each in command.arguments for name in each.names if each.is_option}
    skips = False
    for word in words:
        if skips:
            skips = False
        elif word in HELP_WORDS:
            return True
        elif word in options:
            skips = bool(options[word].value)
        elif word == "--" or (_begins_program(command) and not word.startswith("-")):
            return False  # from here on the words are the program's
    return False


def _begins_program(command: Command) -> bool:
    return command.takes_program and not command.takes_own_words


def _help(words: list[str]) -> Parsed:
    if not words:
        return Parsed(None, Namespace(), overview())
    name, rest = _command_name(words)
    if rest:
        raise _unknown(" ".join(words))
    text = group_help(name) if name in GROUPS else command_help(BY_NAME[name])
    return Parsed(None, Namespace(), text)


def overview() -> str:
    """Return what `hold --help` prints."""
    shown = [(each.name, each.summary) for each in COMMANDS if " " not in each.name]
    shown += [(f"{name} ...", summary) for name, summary in GROUPS.items()]
    return "\n".join(
        [
            "hold keeps programs alive while what you look through comes and goes.",
            "usage: hold COMMAND [...]",
            *_columns(shown),
            "",
            "  hold run -d -n build -- make    start something that goes on without you",
            "`hold COMMAND --help` says more. `hold` alone starts your shell.",
        ]
    )


def group_help(name: str) -> str:
    """Return what `hold daemon` prints."""
    inside = [each for each in COMMANDS if each.name.startswith(f"{name} ")]
    return "\n".join(
        [
            f"usage: hold {name} COMMAND",
            "",
            *_columns([(each.name, each.summary) for each in inside]),
        ]
    )


def command_help(command: Command) -> str:
    """Return what `hold COMMAND --help` prints: it fits a screen."""
    rows = [
        (", ".join(each.names) + (f" {each.value}" if each.value else ""), each.help)
        for each in command.arguments
    ]
    lines = [
        *_wrapped(f"usage: {command.usage}"),
        "",
        command.summary[0].upper() + command.summary[1:] + ".",
    ]
    if rows:
        lines += ["", *_columns(rows)]
    if command.notes:
        lines += ["", *command.notes]
    return "\n".join([*lines, "", "examples:", *_columns(command.examples)])


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.replace("] [", "]\n[").splitlines():
        if len(lines[-1]) + len(word) >= SCREEN_WIDTH:
            lines.append(" " * 10)
        lines[-1] += f" {word}" if lines[-1].strip() else word
    return lines


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(left) for left, _ in rows) + 2
    return [f"  {left:{width}}{right}".rstrip() for left, right in rows]
