"""From words to a command and its values, and the help. All of it comes from the table."""

from argparse import REMAINDER, ArgumentParser, HelpFormatter, Namespace
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

from holdfast.cli.commands import BY_NAME, GROUPS, Argument, Command
from holdfast.cli.exits import Usage
from holdfast.cli.helping import command_help, group_help, overview

HELP_WORDS = ("-h", "--help")
UNKNOWN = "unrecognized arguments: "  # as argparse says it


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


def _command_name(words: Sequence[str], more: Sequence[str] = ()) -> tuple[str, list[str]]:
    """Return the longest name of a command or group that *words* begin with, and the rest.

    *more* is what else could have been meant.
    """
    for count in (2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and (name in BY_NAME or name in GROUPS):
            return name, list(words[count:])
    if words[0].startswith("-"):
        raise Usage(f"there is no option {words[0]!r}", "`hold --help` lists what there is")
    raise _unknown(words[0], more)


def _unknown(name: str, more: Sequence[str] = ()) -> Usage:
    import difflib  # noqa: PLC0415 - only for mistakes

    names = [*BY_NAME, *GROUPS, *more]
    group = name.rpartition(" ")[0]
    # Word by word: all commands of a group are alike in its name, `daemon stop` among them.
    ends = {each.rpartition(" ")[2]: each for each in names if each.rpartition(" ")[0] == group}
    word = name.rpartition(" ")[2]
    begun = [each for each in ends if each.startswith(word)]
    close = [ends[each] for each in begun or difflib.get_close_matches(word, ends, cutoff=0.5)]
    fix = "`hold --help` lists every command"
    if close:
        fix = f"did you mean `hold {'help ' * (close[0] in more)}{close[0]}`?"
    return Usage(f"there is no command {name!r}", fix)


# -- values


class _Parser(ArgumentParser):
    def __init__(self, command: Command) -> None:
        super().__init__(
            prog=f"hold {command.name}",
            add_help=False,
            allow_abbrev=False,
            # Our help is our own; without a width it would import shutil, and that much more.
            formatter_class=partial(HelpFormatter, width=80),
        )
        self.command = command

    def error(self, message: str) -> NoReturn:
        fix = _meant(self.command, message) or f"usage: {self.command.usage}"
        raise Usage(f"{self.command.name}: {message}", fix)


def _meant(command: Command, message: str) -> str:
    """Return the option that was most likely meant by one that there is not."""
    wrong = message.partition(UNKNOWN)[2].split()
    word = next((each.partition("=")[0] for each in wrong if each.startswith("-")), "")
    if not word:
        return ""
    import difflib  # noqa: PLC0415 - only for mistakes

    options = [name for each in command.arguments if each.is_option for name in each.names]
    begun = [name for name in options if name.startswith(word) and len(word) > 2]
    close = begun or difflib.get_close_matches(word, [*options, *HELP_WORDS], n=1, cutoff=0.6)
    more = f"`hold {command.name} --help` lists them"
    return f"did you mean {close[0]}? {more}" if close else ""


def _values(command: Command, words: list[str]) -> Namespace:
    own, dashes, program = words, False, list[str]()
    if command.takes_program and "--" in words:
        at = words.index("--")
        own, dashes, program = words[:at], True, words[at + 1 :]
    if _wants_help(command, own):
        return Namespace()
    parser = _Parser(command)
    if wrong := _unknown_option(command, own):
        # Said before anything is missed: it is most likely why.
        parser.error(UNKNOWN + wrong)
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
    kind["metavar"] = argument.names[0]
    if argument.repeats:
        kind["nargs"] = "*" if argument.optional else "+"
    elif argument.optional:
        kind["nargs"] = "?"
    return kind


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError
    return int(text)


_number.__name__ = "number"  # argparse names the function in "invalid ... value"


# -- help


def _asked_help(command: Command, words: list[str]) -> str:
    return command_help(command) if _wants_help(command, words) else ""


def _wants_help(command: Command, words: list[str]) -> bool:
    return any(word in HELP_WORDS for word in _own(command, words))


def _unknown_option(command: Command, words: list[str]) -> str:
    """Return the first long option that there is not."""
    known = {name for each in command.arguments for name in each.names}
    long = (word for word in _own(command, words) if word.startswith("--"))
    return next((word for word in long if word.partition("=")[0] not in known), "")


def _own(command: Command, words: list[str]) -> Iterator[str]:
    """Yield the words that are the command's, without what its options take."""
    options = {name: each for each in command.arguments for name in each.names if each.is_option}
    skips = False
    for word in words:
        if skips:
            skips = False
            continue
        if word == "--" or (_begins_program(command) and not word.startswith("-")):
            return  # from here on the words are the program's
        skips = word in options and bool(options[word].value)
        yield word


def _begins_program(command: Command) -> bool:
    return command.takes_program and not command.takes_own_words


def _help(words: list[str]) -> Parsed:
    if not words:
        return Parsed(None, Namespace(), overview())
    from holdfast.cli.topics import ABOUT, text_of  # noqa: PLC0415 - only for who reads

    if len(words) == 1 and words[0] in ABOUT:
        return Parsed(None, Namespace(), text_of(words[0]))
    name, rest = _command_name(words, [*ABOUT])
    if rest:
        raise _unknown(" ".join(words))
    text = group_help(name) if name in GROUPS else command_help(BY_NAME[name])
    return Parsed(None, Namespace(), text)
