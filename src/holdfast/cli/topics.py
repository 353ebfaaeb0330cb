"""`hold help TOPIC`: what belongs to no single command. Each fits a screen, or is paged."""

from holdfast.cli.commands import COMMANDS, EXIT_CODES, SECTIONS
from holdfast.cli.helping import columns

ABOUT = {
    "all": "every command, in a line each",
    "ids": "how sessions are named",
    "keys": "what `hold send --keys` and Ctrl-\\ understand",
    "owners": "who may type",
    "json": "what scripts can rely on",
    "exit-codes": "what a command's code means",
    "environment": "variables",
}

IDS = """\
ID is an id (k3v9qd), the beginning of one that no other begins with, a name or a
key. Of several sessions with one name the newest that lives is meant.

Commands that say ID... take several, and globs of ids, names and keys. Quote
them, or the shell looks for files:

  hold kill 'test-*'        asks, since more than one is meant
  hold forget 'test-*' --yes

A name is given with `hold run -n NAME` or `hold rename`; a key with
`hold run -k KEY`, which finds the session of that key or starts it. Ids are
never used again."""

KEYS = """\
`hold send ID --keys C-c,Up,x` presses keys one after the other:

  a character       itself; a comma is called Comma
  C-x  M-x  C-M-x   with Ctrl, with Alt (Meta)
  Enter Tab BackTab Esc Space Backspace Insert Delete
  Up Down Left Right Home End PageUp PageDown
  F1 to F12
  S-Up  C-Right ... cursor, function and page keys with Shift, Ctrl, Alt

Cursor keys are sent as the program has asked for them (application mode).

On a session that you look at, Ctrl-\\ twice leaves; the program goes on."""

OWNERS = """\
One client owns a session: it alone types, resizes, signals and ends. Everybody
else looks on. Whoever types into a session that nobody owns becomes its owner,
and is until it leaves.

  hold send build y --takeover       take it over to type this
  hold claim build                   own it until Ctrl-C
  hold takeover build --reason why   the same, whoever owns it
  hold release build --takeover      nobody owns it afterwards

A command that is refused for that ends with code 6. Whoever loses its connection
has half a minute to come back."""

JSON = """\
Commands that list have --json. What they print is a contract: fields are added,
never changed or taken away, and every field is there, also when it has its
default. The schemas are in docs/reference/json. Times are seconds since 1970,
sizes bytes, and what is unknown is null.

  hold ls --json | jq -r '.[] | select(.state == "running") | .id'
  hold events --json --follow        one object a line
  hold ls --json --watch             one list a line, at each change

Errors are two lines on stderr, also with --json; the exit code says which kind
(`hold help exit-codes`)."""

ENVIRONMENT = """\
HOLDFAST_HOME          moves everything: state, sockets, config.toml
HOLDFAST_JOURNAL_PATH  moves the journal alone
HOLDFAST_DEBUG         set, errors come with a traceback
HOLDFAST_SESSION_ID    inside a session: its id
PAGER, LESS            for long texts on a terminal (less, FRX); PAGER=cat is none
NO_COLOR               set, there are no colours
SHELL                  what `hold run` and `hold wrap` start without CMD

Every setting is a variable, too; `hold config show` has them, with where each
value comes from. Flags win over variables, variables over config.toml."""


def text_of(topic: str) -> str:
    """Return what a topic says."""
    made = {"all": _commands, "exit-codes": _exit_codes}
    if topic in made:
        return made[topic]()
    return {
        "ids": IDS,
        "keys": KEYS,
        "owners": OWNERS,
        "json": JSON,
        "environment": ENVIRONMENT,
    }[topic]


def _commands() -> str:
    lines: list[str] = []
    width = max(len(command.name) for command in COMMANDS) + 2
    for title, commands in SECTIONS:
        lines += [title, *columns([(each.name, each.summary) for each in commands], width), ""]
    return "\n".join([*lines, "`hold COMMAND --help` says more, and has examples."])


def _exit_codes() -> str:
    rows = [(str(code), meaning.replace("`", "")) for code, meaning in EXIT_CODES]
    return "\n".join(columns(rows, 5))
