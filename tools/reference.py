"""Write docs/reference from the code; with --check, say what is stale and exit 1.

The reference lists all: commands, errors, messages, settings, metrics. Guides and concepts are
written by hand; these pages never are.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from holdfast import errors
from holdfast.cli.commands import COMMANDS, EXIT_CODES, Command
from holdfast.cli.shapes import LINES, SHAPES
from holdfast.config.duration import render_duration
from holdfast.config.settings import settings
from holdfast.daemon.measures import ECHO, ECHO_HELP, MEASURES
from holdfast.errors import HoldfastError
from holdfast.protocol import messages
from holdfast.protocol.messages import Message
from holdfast.protocol.state import TRANSITIONS
from holdfast.protocol.version import OURS
from schemas import schema_of, schemas

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Made by `make docs` from the code; edit the code. -->"


def pages() -> dict[str, str]:
    """Return the text of every generated page by its file name."""
    return {
        name: "\n".join([NOTE, "", *lines, ""])
        for name, lines in (
            ("commands.md", _commands()),
            ("errors.md", _errors()),
            ("protocol.md", _protocol()),
            ("settings.md", _settings()),
            ("metrics.md", _metrics()),
            ("json.md", _json()),
        )
    } | schemas()


def stale() -> list[str]:
    """Return the names of pages that differ from what the code says."""
    return [
        name
        for name, text in pages().items()
        if not (REFERENCE / name).exists() or (REFERENCE / name).read_text() != text
    ]


# -- commands


def _commands() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "`holdfast` is the same as `hold`. ID is an id, the beginning of one, a name or a key."
    yield "`hold` alone brings you to a session in a terminal, and lists them elsewhere."
    for command in COMMANDS:
        yield from _command(command)
    yield from ("", "## Exit codes", "", "| code | meaning |", "|---|---|")
    for code, meaning in EXIT_CODES:
        yield f"| {code} | {meaning} |"


def _command(command: Command) -> Iterator[str]:
    yield from ("", f"## `hold {command.name}`", "")
    yield command.summary[0].upper() + command.summary[1:] + "."
    yield from ("", "```", command.usage, "```")
    if command.arguments:
        yield from ("", "| argument | meaning |", "|---|---|")
    for argument in command.arguments:
        names = ", ".join(f"`{name}`" for name in argument.names)
        value = f" `{argument.value}`" if argument.value else ""
        yield f"| {names}{value} | {argument.help} |"
    if command.notes:
        yield from ("", *command.notes)
    yield from ("", "```sh")
    for line, remark in command.examples:
        yield f"{line}  # {remark}" if remark else line
    yield "```"


# -- json


def _json() -> Iterator[str]:
    yield "# What `--json` prints"
    yield ""
    yield "A contract: fields are added, never changed or taken away, and all of them are there,"
    yield "also those that have their default. Times are seconds since 1970, sizes bytes, and what"
    yield "is unknown is null. Errors are two lines on stderr, as without `--json`."
    yield from ("", "| command | prints | schema |", "|---|---|---|")
    for command in SHAPES:
        page = f"json/{command.replace(' ', '-')}.json"
        found = schema_of(command)
        prints = "a list" if found.get("type") == "array" else "an object"
        prints += " a line" if command in LINES else ""
        yield f"| `hold {command} --json` | {prints} | [{page}]({page}) |"


# -- errors


def _errors() -> Iterator[str]:
    yield "# Errors"
    yield ""
    yield "Everything that goes wrong has one name, the same in Python, on the wire and in scripts."
    yield "`status` is the HTTP status that means the same."
    tree = errors.__doc__ or ""  # drawn in the order in which people want to read it
    for group in sorted(HoldfastError.__subclasses__(), key=lambda kind: tree.index(kind.__name__)):
        members = [kind for kind in _family(group) if hasattr(kind, "code")]
        if not members:
            continue
        yield from ("", f"## {group.__name__}", "", _first_line(group), "")
        yield "| code | class | status | meaning | what it says | facts |"
        yield "|---|---|---|---|---|---|"
        for kind in members:
            facts = ", ".join(f"`{name}`" for name in kind.fact_names)
            says = f"{kind.what_template}. {kind.fix_template}".replace("|", "\\|")
            yield (
                f"| `{kind.code}` | `{kind.__name__}` | {kind.status} | {_first_line(kind)} "
                f"| {says} | {facts} |"
            )


def _family(kind: type[HoldfastError]) -> Iterator[type[HoldfastError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith(errors.__name__):  # whatever else was imported by now
            yield from _family(child)


# -- protocol


def _protocol() -> Iterator[str]:
    yield f"# Protocol {OURS}"
    yield ""
    yield "A connection is a stream of frames over a Unix socket. How frames are cut is written in"
    yield "`protocol/frames.py`, the envelope in `protocol/codec.py`, the life of a connection in"
    yield "`protocol/state.py`; this page lists what they hold."
    yield from (
        "",
        "## The life of a connection",
        "",
        "| state | step | next state |",
        "|---|---|---|",
    )
    for state, row in TRANSITIONS.items():
        for step, following in row.items():
            yield f"| {state.value} | {step.value} | {following.value} |"
    yield from ("", "## Handshake and errors")
    yield from _message(messages.HELLO, messages.Hello)
    yield from _message(messages.WELCOME, messages.Welcome)
    yield from _message(messages.FAILURE, messages.Failure)
    yield from ("", "## Requests")
    for kind, request in messages.REQUESTS.items():
        yield from _message(kind, request.message, f" Role: `{request.role.value}`.")
        yield from ("", f"Reply: `{request.reply.__name__}`.")
    yield from ("", "## Notices (client to daemon, no reply)")
    for kind, message in messages.NOTICES.items():
        yield from _message(kind, message)
    yield from ("", "## Events (daemon to client)")
    for kind, message in messages.EVENTS.items():
        yield from _message(kind, message)
    yield from ("", "## Replies")
    for reply in sorted({r.reply for r in messages.REQUESTS.values()}, key=lambda r: r.__name__):
        yield from _message(reply.__name__, reply)


def _message(kind: str, message: type[Message], remark: str = "") -> Iterator[str]:
    yield from ("", f"### `{kind}`", "", _first_line(message) + remark)
    fields = msgspec.structs.fields(message)
    if not fields:
        return
    yield from ("", "| field | type | default |", "|---|---|---|")
    for field in fields:
        default = "required" if field.required else f"`{_default(field)!r}`"
        yield f"| `{field.name}` | `{_type_name(field.type)}` | {default} |"


def _default(field: msgspec.structs.FieldInfo) -> object:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


def _type_name(kind: object) -> str:
    text = kind.__name__ if isinstance(kind, type) and "[" not in str(kind) else str(kind)
    for noise in ("holdfast.protocol.messages.", "holdfast.errors."):
        text = text.replace(noise, "")
    return text.replace("|", "or")


# -- settings


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Flags win over variables, variables over `config.toml`, the file over the defaults. An"
    yield "empty value means the default; a value that cannot be used is an error that names its"
    yield "place. Durations: a number with ms, s, m, h or d (`1.5s`, `1h30m`), or `off`."
    yield ""
    yield "| key in config.toml | variable | unit | default | meaning | why this default |"
    yield "|---|---|---|---|---|---|"
    for setting in settings().values():
        default = setting.default
        text = render_duration(default) if setting.unit == "duration" else str(default)
        yield (
            f"| `{setting.key}` | `{setting.variable}` | {setting.unit} | {text} "
            f"| {setting.meaning} | {setting.reason} |"
        )
    yield from ("", "## Places", "")
    yield "| variable | meaning |"
    yield "|---|---|"
    yield "| `HOLDFAST_HOME` | moves everything: state, sockets and `config.toml` |"
    yield "| `HOLDFAST_JOURNAL_PATH` | moves the journal alone |"


# -- metrics


def _metrics() -> Iterator[str]:
    yield "# Metrics"
    yield ""
    yield "`hold daemon metrics` prints them in the text format of Prometheus. Counters begin anew"
    yield "with each daemon."
    yield from ("", "| metric | type | label | meaning |", "|---|---|---|---|")
    for measure in MEASURES:
        label = f"`{measure.label}`" if measure.label else ""
        yield f"| `holdfast_{measure.name}` | {measure.kind} | {label} | {measure.help} |"
    yield f"| `holdfast_{ECHO}` | histogram | | {ECHO_HELP} |"


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def main() -> int:
    if "--check" in sys.argv[1:]:
        for name in stale():
            print(f"docs/reference/{name} is stale: run `make docs`")
        return 1 if stale() else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    (REFERENCE / "json").mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
