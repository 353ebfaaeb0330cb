"""What the table of commands is made of."""

from typing import NamedTuple


class Argument(NamedTuple):
    """A positional argument (one name without dashes) or an option."""

    names: tuple[str, ...]
    help: str
    value: str = ""
    """What the option takes; empty for a switch."""
    repeats: bool = False
    optional: bool = False
    number: bool = False

    @property
    def is_option(self) -> bool:
        return self.names[0].startswith("-")

    @property
    def field(self) -> str:
        """The name under which handlers find the value."""
        return self.names[-1].lstrip("-").replace("-", "_").lower()

    @property
    def usage(self) -> str:
        value = f" {self.value}" if self.value else ""
        text = self.names[0] + value
        if not self.is_option and not self.optional:
            return text + ("..." if self.repeats else "")
        return f"[{text}]" + ("..." if self.repeats else "")


class Command(NamedTuple):
    """One command: what it does, what it takes, who does it."""

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    examples: tuple[tuple[str, str], ...]
    handler: str
    notes: tuple[str, ...] = ()
    takes_program: bool = False
    """Whatever follows is a program with its own arguments."""

    @property
    def takes_own_words(self) -> bool:
        """Whether its own words may stand anywhere before the dashes; a program needs those."""
        return any(not argument.is_option for argument in self.arguments)

    @property
    def usage(self) -> str:
        parts = ["hold", self.name, *(argument.usage for argument in self.arguments)]
        return " ".join([*parts, "[-- CMD...]"] if self.takes_program else parts)


def switch(*names: str, help: str) -> Argument:  # noqa: A002 - the word of the table
    return Argument(names, help)


def option(*names: str, value: str, help: str, repeats: bool = False) -> Argument:  # noqa: A002
    return Argument(names, help, value, repeats, number=value == "N")


ID = Argument(("ID",), "an id, the beginning of one, a name or a key")
IDS = Argument(("ID",), "ids, names, or globs of them: 'build-*'", repeats=True)
YES = switch("--yes", help="do not ask")
JSON = switch("--json", help="JSON, for scripts")
TAKEOVER = switch("--takeover", help="also if somebody else owns it, who is told")
