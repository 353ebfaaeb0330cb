"""Write docs/man from the table of commands; with --check, say what is stale and exit 1."""

import sys
from collections.abc import Iterator
from pathlib import Path

from holdfast.cli.commands import COMMANDS, EXIT_CODES, SECTIONS, Command
from holdfast.cli.topics import ENVIRONMENT, IDS, KEYS, OWNERS

MAN = Path(__file__).parents[1] / "docs" / "man"
NOTE = '.\\" Made by `make docs` from the table of commands; edit the table.'
INTRODUCTION = (
    "Holdfast keeps interactive programs alive - shells, agents, debuggers, dev servers - while "
    "what you look through comes and goes. Viewers get exactly the bytes they miss."
)


def pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    made = {"hold.1": _overview()}
    made |= {f"{_title(command)}.1": _page(command) for command in COMMANDS}
    texts = {name: "\n".join([NOTE, *lines, ""]) for name, lines in made.items()}
    return texts | {"holdfast.1": ".so man1/hold.1\n"}  # it has to be the first line


def stale() -> list[str]:
    """Return the names of pages that differ from the table, or belong to no command."""
    made = pages()
    there = {path.name: path.read_text() for path in MAN.glob("*")}
    return [name for name in made.keys() | there.keys() if made.get(name) != there.get(name)]


def _overview() -> Iterator[str]:
    yield from _head("hold", "keep programs alive while viewers come and go")
    yield from (".SH SYNOPSIS", ".B hold", r"\fICOMMAND\fR [...]")
    yield from (".SH DESCRIPTION", _plain(INTRODUCTION))
    yield _plain("`hold` alone starts your shell in a terminal, and prints its help elsewhere.")
    for title, commands in SECTIONS:
        yield f".SS {_plain(title[0].upper() + title[1:])}"
        for command in commands:
            yield from (".TP", rf".BR {_plain(_title(command))} (1)", _plain(command.summary))
    for heading, text in (("SESSIONS", IDS), ("KEYS", KEYS), ("OWNERS", OWNERS)):
        yield f".SH {heading}"
        yield from _verbatim(text)
    yield ".SH EXIT STATUS"
    for code, meaning in EXIT_CODES:
        yield from (".TP", f".B {code}", _plain(meaning.replace("`", "")))
    yield ".SH ENVIRONMENT"
    yield from _verbatim(ENVIRONMENT)


def _page(command: Command) -> Iterator[str]:
    yield from _head(_title(command), command.summary)
    yield from (".SH SYNOPSIS", _plain(command.usage))
    yield from (".SH DESCRIPTION", _plain(command.summary[0].upper() + command.summary[1:] + "."))
    if command.notes:
        yield from (".PP", _plain(" ".join(command.notes)))
    if command.arguments:
        yield ".SH OPTIONS"
    for argument in command.arguments:
        value = rf" \fI{_plain(argument.value)}\fR" if argument.value else ""
        names = ", ".join(rf"\fB{_plain(name)}\fR" for name in argument.names)
        yield from (".TP", f"{names}{value}", _plain(argument.help))
    yield ".SH EXAMPLES"
    for line, remark in command.examples:
        yield from (".TP", rf"\fB{_plain(line)}\fR", _plain(remark or "as it says"))
    yield from (".SH SEE ALSO", ".BR hold (1)")


def _title(command: Command) -> str:
    return "-".join(["hold", *command.name.split()])


def _head(title: str, summary: str) -> Iterator[str]:
    yield f'.TH {title.upper()} 1 "" Holdfast "Holdfast Manual"'
    yield from (".SH NAME", rf"{_plain(title)} \- {_plain(summary)}")


def _verbatim(text: str) -> Iterator[str]:
    yield ".nf"
    for line in text.splitlines():
        yield _plain(line) if line else ".sp"
    yield ".fi"


def _plain(text: str) -> str:
    """Return text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def main() -> int:
    if "--check" in sys.argv[1:]:
        for name in stale():
            print(f"docs/man/{name} is stale: run `make docs`")
        return 1 if stale() else 0
    MAN.mkdir(parents=True, exist_ok=True)
    for path in MAN.glob("*"):
        path.unlink()
    for name, text in pages().items():
        (MAN / name).write_text(text)
    print(f"docs/man: {len(pages())} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
