"""The help, made from the table of commands: each text fits a screen of 24 by 80."""

from collections.abc import Sequence

from holdfast.cli.commands import COMMANDS, GROUPS, SECTIONS, Command

SCREEN_WIDTH = 80
INTRODUCTION = """\
hold keeps programs alive while what you look through comes and goes.
usage: hold COMMAND [...]
"""
EXAMPLES = """
  hold run -d -n build -- make    start something that goes on without you
  hold output build --follow      look at it

`hold COMMAND --help` says more, and `hold help all` lists all with a line each.
`hold help TOPIC` is about {topics}.
`hold` alone brings you to a session."""


def overview() -> str:
    """Return what `hold --help` prints: the names by what they are for."""
    from holdfast.cli.topics import ABOUT  # noqa: PLC0415 - it needs what is here

    width = max(len(title) for title, _ in SECTIONS) + 2
    lines = []
    for title, commands in SECTIONS:
        names = dict.fromkeys(_shown(command) for command in commands)
        wrapped = _filled(names, SCREEN_WIDTH - width - 3)
        lines += [f"  {title if not i else '':{width}}{text}" for i, text in enumerate(wrapped)]
    topics = ", ".join(topic for topic in ABOUT if topic != "all")
    return "\n".join([INTRODUCTION, *lines, EXAMPLES.format(topics=topics)])


def _shown(command: Command) -> str:
    group, _, rest = command.name.partition(" ")
    return f"{group} ..." if rest and group in GROUPS else command.name


def _filled(words: Sequence[str] | dict[str, None], width: int) -> list[str]:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 2 > width:
            lines.append("")
        lines[-1] += f", {word}" if lines[-1] else word
    return [f"{line}," for line in lines[:-1]] + lines[-1:]


def group_help(name: str) -> str:
    """Return what `hold daemon` prints."""
    inside = [each for each in COMMANDS if each.name.startswith(f"{name} ")]
    return "\n".join(
        [
            f"usage: hold {name} COMMAND",
            "",
            *columns([(each.name, each.summary) for each in inside]),
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
        lines += ["", *columns(rows)]
    if command.notes:
        lines += ["", *command.notes]
    return "\n".join([*lines, "", "examples:", *columns(command.examples)])


def columns(rows: Sequence[tuple[str, str]], width: int = 0) -> list[str]:
    """Return rows of two columns, the first one *width* wide, or as wide as it has to be."""
    width = width or max(len(left) for left, _ in rows) + 2
    return [f"  {left:{width}}{right}".rstrip() for left, right in rows]


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.replace("] [", "]\n[").splitlines():
        if len(lines[-1]) + len(word) >= SCREEN_WIDTH:
            lines.append(" " * 10)
        lines[-1] += f" {word}" if lines[-1].strip() else word
    return lines
