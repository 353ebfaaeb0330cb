"""`hold completion`: scripts for shells, made from the table of commands.

The scripts know every word but the sessions; those they ask for, in the cheapest way there is
and without starting a daemon. The text around the table is in `cli/shells`.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from holdfast.cli.commands import COMMANDS, GROUPS, Argument, Command
from holdfast.cli.exits import OK, Usage
from holdfast.cli.logs import PROCESSES
from holdfast.client.quick import Quick, Unusual
from holdfast.config.settings import settings

SHELLS = ("bash", "zsh", "fish")
LIVING, ALL = "sessions", "all-sessions"
NEWEST = 200  # sessions that are offered: nobody reads more
PAGE = 500
SIGNALS = "HUP,INT,QUIT,TERM,KILL,USR1,USR2,CONT,STOP,TSTP,WINCH"
# What an argument takes, by what it is called in the table: words, or what a shell knows.
KINDS = {
    "ID": f"@{LIVING}",
    "DIR": "@directories",
    "SIGNAL": SIGNALS,
    "FORM": "text,vt,json",
    "WHEN": "never,shell,always",
    "PROCESS": ",".join(PROCESSES),
    "SHELL": ",".join(SHELLS),
}
ENDED_TOO = {"show", "output", "screen", "events", "restore", "forget", "clear", "wait"}


def completion(values: Namespace) -> int:
    """Print the script of a shell, or the sessions that one offers."""
    if values.shell in (LIVING, ALL):
        print("".join(f"{word}\t{remark}\n" for word, remark in _sessions(values.shell)), end="")
        return OK
    if values.shell not in SHELLS:
        raise Usage(f"there is no completion for {values.shell!r}", f"write {', '.join(SHELLS)}")
    sys.stdout.write(script(values.shell))
    return OK


def script(shell: str) -> str:
    """Return the text that a shell reads."""
    frame = (Path(__file__).parent / "shells" / f"hold.{shell}").read_text()
    made = {"bash": _cases, "zsh": _cases, "fish": _fish}[shell]()
    return frame.replace("# TABLE\n", "".join(f"{line}\n" for line in made))


def _sessions(wanted: str) -> Iterator[tuple[str, str]]:
    asked = {"limit": PAGE, **({"ended": True} if wanted == ALL else {})}
    found = []
    try:
        with Quick(os.environ, role="stream", label="completion") as quick:
            page = quick.call("list", asked)
            found += page["sessions"]
            while page.get("next"):
                page = quick.call("list", asked | {"after": page["next"]})
                found += page["sessions"]
    except (Unusual, LookupError, TypeError):
        return  # no daemon, no sessions; and a word that is typed is no place for errors
    for session in reversed(found[-NEWEST:]):
        names = [word for word in (session["name"], session["id"]) if word and word.isprintable()]
        for word in names:
            yield word, session["state"]


# -- what the table says


def _kind_of(argument: Argument, command: Command) -> str:
    name = argument.value or argument.names[0]
    if name == "ID" and command.name in ENDED_TOO:
        return f"@{ALL}"
    if name == "SETTING":
        return ",".join(setting.key for setting in settings().values())
    return KINDS.get(name, "@nothing")


def _options(command: Command) -> list[Argument]:
    return [each for each in command.arguments if each.is_option]


def _slots(command: Command) -> list[str]:
    """Return what each word takes that is no option; the last one repeats if it says so."""
    plain = [each for each in command.arguments if not each.is_option]
    kinds = [_kind_of(each, command) for each in plain]
    for at, argument in enumerate(plain):
        if argument.repeats:
            # From here on it may be that, or what comes behind.
            return [*kinds[: at + 1], f"{'|'.join(kinds[at:])}+"]
    return [*kinds, "@program+"] if command.takes_program else kinds


def _cases() -> Iterator[str]:
    """Yield the table as cases that bash and zsh read alike."""
    tops = [each.name for each in COMMANDS if " " not in each.name]
    yield f"    '') offered='{' '.join([*tops, *GROUPS, 'help', '--help', '--version'])}';;"
    topics = _topics()
    yield f"    'help') offered='{' '.join([*tops, *GROUPS, *topics])}';;"
    for group in GROUPS:
        inside = [each.name.split()[1] for each in COMMANDS if each.name.startswith(f"{group} ")]
        yield f"    '{group}') offered='{' '.join([*inside, '--help'])}';;"
    for command in COMMANDS:
        options = [name for each in _options(command) for name in each.names]
        valued = [
            f"{name}={_kind_of(each, command)}"
            for each in _options(command)
            for name in each.names
            if each.value
        ]
        yield (
            f"    '{command.name}') options='{' '.join([*options, '--help'])}'"
            f" valued='{' '.join(valued)}' slots='{' '.join(_slots(command))}';;"
        )


def _topics() -> list[str]:
    from holdfast.cli.topics import ABOUT  # noqa: PLC0415 - only for this script

    return [*ABOUT]


def _fish() -> Iterator[str]:
    """Yield the table as fish has it: a line for each word."""
    for each in COMMANDS:
        top, _, rest = each.name.partition(" ")
        if not rest:
            yield f"complete -c hold -n '__hold_is' -a {top} -d {_quoted(each.summary)}"
        else:
            yield f"complete -c hold -n '__hold_is {top}' -a {rest} -d {_quoted(each.summary)}"
    for group, summary in GROUPS.items():
        yield f"complete -c hold -n '__hold_is' -a {group} -d {_quoted(summary)}"
    yield "complete -c hold -n '__hold_is' -a help -d 'help on a command or a topic'"
    topics = " ".join([*_topics(), *(each.name for each in COMMANDS if " " not in each.name)])
    yield f"complete -c hold -n '__hold_in help' -a '{topics}'"
    for each in COMMANDS:
        yield from _fish_command(each)


def _fish_command(command: Command) -> Iterator[str]:
    when = f"complete -c hold -n '__hold_in {command.name}'"
    for argument in _options(command):
        names = " ".join(
            f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
            for name in argument.names
        )
        takes = f" -x {_fish_kind(_kind_of(argument, command))}" if argument.value else ""
        yield f"{when} {names}{takes} -d {_quoted(argument.help)}"
    kinds = dict.fromkeys(part for slot in _slots(command) for part in slot.strip("+").split("|"))
    for kind in kinds:
        if kind != "@nothing":
            yield f"{when} {_fish_kind(kind)}"


def _fish_kind(kind: str) -> str:
    known = {
        "@nothing": "",
        "@directories": "-a '(__fish_complete_directories)'",
        "@program": "-a '(__fish_complete_subcommand)'",
        f"@{LIVING}": f"-a '(hold completion {LIVING} 2>/dev/null)'",
        f"@{ALL}": f"-a '(hold completion {ALL} 2>/dev/null)'",
    }
    return known[kind] if kind in known else f"-a '{kind.replace(',', ' ')}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
