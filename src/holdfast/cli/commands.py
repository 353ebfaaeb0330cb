"""Every command of `hold`, as a table. Parsing, help and the reference are made from it."""

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
            return text
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
    def usage(self) -> str:
        parts = ["hold", self.name, *(argument.usage for argument in self.arguments)]
        return " ".join([*parts, "[-- CMD...]"] if self.takes_program else parts)


def _switch(*names: str, help: str) -> Argument:  # noqa: A002 - the word of the table
    return Argument(names, help)


def _option(*names: str, value: str, help: str, repeats: bool = False) -> Argument:  # noqa: A002
    return Argument(names, help, value, repeats, number=value == "N")


ID = Argument(("ID",), "an id, the beginning of one, a name or a key")
JSON = _switch("--json", help="JSON, for scripts")
TAKEOVER = _switch("--takeover", help="also if somebody else owns it, who is told")

COMMANDS = (
    Command(
        "run",
        "start a program in a new session and show it",
        (
            _switch("-d", "--detach", help="do not show it; print its id"),
            _option("-n", "--name", value="NAME", help="a name to call it by"),
            _option("-k", "--key", value="KEY", help="find the session of this key, or start it"),
            _option("--cwd", value="DIR", help="where it starts (here)"),
            _option("--env", value="K=V", help="set a variable; may be repeated", repeats=True),
            _option("--size", value="COLSxROWS", help="size of its terminal (yours, or 80x24)"),
            _option("--restore", value="WHEN", help="after a reboot: never, shell, always"),
            _switch("--ephemeral", help="keep its output in memory only, and nothing afterwards"),
            TAKEOVER,
        ),
        (
            ("hold run", "your shell, kept"),
            ("hold run -d -n build -- make -j4", "a build that goes on without you"),
        ),
        "holdfast.cli.sessions:run",
        (
            "Ctrl-\\ pressed twice leaves; the program goes on. Without CMD it is $SHELL.",
            "Ends with the program's exit code; 125 when hold itself fails, 126 and 127",
            "when the program cannot be run or found, 0 when you leave.",
        ),
        takes_program=True,
    ),
    Command(
        "wrap",
        "run your shell here, with a copy of its output kept",
        (
            _option("-n", "--name", value="NAME", help="a name to call the session by"),
            _switch("-q", "--quiet", help="say nothing, neither good news nor bad"),
        ),
        (
            ("hold wrap", "your shell, in this terminal, kept to be read"),
            ("hold wrap -- make -j4", "a build; `hold output ID --follow` elsewhere"),
        ),
        "holdfast.cli.wrapping:wrap",
        (
            "The program runs in your terminal and never waits for the daemon, which is not",
            "started: it sends a copy of the output, and keeps it until a daemon takes it.",
            "Ends with the program's exit code; 125, 126 and 127 as with `hold run`.",
        ),
        takes_program=True,
    ),
    Command(
        "ls",
        "list sessions",
        (JSON, _switch("--all", help="ended ones too")),
        (("hold ls", "what lives"), ("hold ls --all --json", "everything, for scripts")),
        "holdfast.cli.sessions:ls",
    ),
    Command(
        "output",
        "show what a session printed",
        (
            ID,
            _option("--since", value="N", help="from this offset on (the oldest byte kept)"),
            _option("--until", value="N", help="up to this offset (the end)"),
            _switch("--raw", help="every byte as it was, also to a terminal"),
            _switch("--follow", help="go on until the session ends"),
        ),
        (
            ("hold output build --follow", "watch without touching"),
            ("hold output build --raw > log", "the exact bytes"),
        ),
        "holdfast.cli.streams:output",
        (
            "On a terminal, questions that programs once asked theirs are left out: the",
            "answers would land in your shell. Into a file or pipe goes every byte.",
        ),
    ),
    Command(
        "screen",
        "show what is on a session's screen",
        (
            ID,
            _option("--format", value="FORM", help="text, vt or json (text)"),
            _option("--scrollback", value="LINES", help="lines above the screen, or all (0)"),
            JSON,
        ),
        (
            ("hold screen build", "look without attaching"),
            ("hold screen build --scrollback all > build.txt", "with all that scrolled away"),
        ),
        "holdfast.cli.screen:screen",
        (
            "Of a session that has ended it is the last screen. vt is what makes a terminal",
            "show the same, with colours; json has lines, cursor and modes.",
        ),
    ),
    Command(
        "send",
        "type into a session",
        (
            ID,
            Argument(("TEXT",), "what to type", repeats=True, optional=True),
            _switch("--enter", help="press Enter after it"),
            _switch("--stdin", help="type what comes from stdin (not in the process list)"),
            TAKEOVER,
        ),
        (
            ("hold send build 'make test' --enter", "run a command in a shell"),
            ("hold send build --stdin < answers", "type a file"),
        ),
        "holdfast.cli.streams:send",
        (
            "A program that tells pasted text from typed text gets it as a paste, unless it",
            "begins with a control character; up to 1 MiB, nobody else types in between.",
        ),
    ),
    Command(
        "events",
        "show what happened to sessions",
        (
            ID._replace(optional=True),
            JSON._replace(help="one JSON object a line, for scripts"),
            _option("--since", value="N", help="after this number (all kept; to follow: from now)"),
            _switch("--follow", help="go on with what happens"),
        ),
        (
            ("hold events build", "when it began, and how it ended"),
            ("hold events --json --since 4711 --follow", "go on where a script has left off"),
        ),
        "holdfast.cli.events:events",
        (
            "Numbers rise, with gaps, and never name two events. Who follows misses none and",
            "sees none twice, also when the daemon dies. Ephemeral sessions have no events.",
        ),
    ),
    Command(
        "commands",
        "list the commands that ran in sessions",
        (ID._replace(optional=True), JSON),
        (("hold commands", "of every session that runs"), ("hold commands build --json", "all")),
        "holdfast.cli.context:commands",
    ),
    Command(
        "context",
        "tell recent commands as text, for you or a language model",
        (
            ID._replace(optional=True),
            _option("--last", value="N", help="so many of each session (10)"),
            _option("--budget", value="N", help="at most so many characters (16000)"),
            JSON,
        ),
        (
            ("hold context", "all that runs, newest last"),
            ("hold context build --last 3", "the last three"),
        ),
        "holdfast.cli.context:context",
        ("Each with its exit code, when, how long, and the head and tail of its output.",),
    ),
    Command(
        "kill",
        "end a session's program",
        (
            ID._replace(optional=True),
            _switch("--all", help="every living session"),
            _switch("--now", help="without the grace: KILL instead of TERM first"),
            TAKEOVER,
        ),
        (("hold kill build", "TERM, then KILL"), ("hold kill --all --now", "everything")),
        "holdfast.cli.sessions:kill",
    ),
    Command(
        "signal",
        "send a signal to a session's program",
        (
            ID,
            Argument(("SIGNAL",), "its name; a wrong one is answered with the list"),
            TAKEOVER,
        ),
        (("hold signal build INT", "stop what runs"), ("hold signal server SIGHUP", "reload")),
        "holdfast.cli.verbs:signal",
        (
            "HUP, INT, QUIT, TERM, KILL, USR1, USR2, CONT, STOP, TSTP, WINCH: with or",
            "without SIG, to the program and its process group.",
        ),
    ),
    Command(
        "rename",
        "call a session by another name",
        (ID, Argument(("NAME",), "the new name; an empty one takes the name away"), TAKEOVER),
        (("hold rename k3v9qd build", "`hold output build`"), ("hold rename build ''", "no name")),
        "holdfast.cli.verbs:rename",
    ),
    Command(
        "wait",
        "wait until a session has ended",
        (
            ID,
            _option("--timeout", value="D", help="at most this long: 90, 1.5s, 1h30m (no limit)"),
            JSON,
        ),
        (
            ("hold wait build && hold ls", "one after the other"),
            ("hold wait build --timeout 10m --json", "code, signal, duration, memory"),
        ),
        "holdfast.cli.verbs:wait",
        (
            "Ends with the program's exit code; 4 when the time is up, 5 when the program",
            "is gone and can be restored.",
        ),
    ),
    Command(
        "restore",
        "start a session's program again that is gone",
        (ID, _switch("--yes", help="do not ask")),
        (
            ("hold restore build", "same id, directory, size and output; asks first"),
            ("hold ls --all", "`dormant` and `lost` are what can be restored"),
        ),
        "holdfast.cli.keeping:restore",
        ("A shell starts without a question; anything else is shown and asked about.",),
    ),
    Command(
        "clear",
        "drop what a session printed before its last screenful",
        (ID, TAKEOVER),
        (("hold clear build", "offsets go on as before"), ("hold du", "what is left")),
        "holdfast.cli.keeping:clear",
    ),
    Command(
        "forget",
        "destroy what a session printed; an ended session with everything",
        (
            ID,
            _option("--since", value="N", help="only from this offset on"),
            _option("--until", value="N", help="only up to this offset"),
            _switch("--yes", help="do not ask"),
            TAKEOVER,
        ),
        (
            ("hold forget build", "overwritten, and then looked for"),
            ("hold forget build --since 5120 --until 6144", "a secret that was printed"),
        ),
        "holdfast.cli.keeping:forget",
    ),
    Command(
        "du",
        "show what everything kept takes up",
        (JSON,),
        (("hold du", "fattest first"), ("hold du --json", "with every hole and its reason")),
        "holdfast.cli.keeping:du",
    ),
    Command(
        "daemon start",
        "start the daemon (any command does it when needed)",
        (),
        (("hold daemon start", "prints its pid"), ("hold daemon start && hold ls", "and look")),
        "holdfast.cli.daemon:start",
    ),
    Command(
        "daemon stop",
        "end the daemon, its keeper and every session",
        (_switch("--yes", help="do not ask"),),
        (("hold daemon stop", "says what lives, and asks"), ("hold daemon stop --yes", "does not")),
        "holdfast.cli.daemon:stop",
    ),
    Command(
        "daemon restart",
        "replace the daemon; sessions and their output are untouched",
        (),
        (("hold daemon restart", "after an upgrade"), ("hold daemon restart && hold ls", "look")),
        "holdfast.cli.daemon:restart",
    ),
    Command(
        "daemon status",
        "show how daemon and keeper are",
        (JSON,),
        (("hold daemon status", "for people"), ("hold daemon status --json", "for scripts")),
        "holdfast.cli.daemon:status",
        ("Exit code 7 when no daemon is running.",),
    ),
    Command(
        "daemon metrics",
        "print what the daemon counts, as Prometheus reads it",
        (),
        (
            ("hold daemon metrics", "everything, with what it means"),
            ("hold daemon metrics > DIR/holdfast.prom", "for the textfile collector"),
        ),
        "holdfast.cli.daemon:metrics",
    ),
)  # fmt: skip

BY_NAME = {command.name: command for command in COMMANDS}
GROUPS = {"daemon": "the process that serves, and its keeper"}

EXIT_CODES = (
    (0, "done"),
    (1, "failed"),
    (2, "the command line or a setting is wrong"),
    (3, "no such session"),
    (4, "took too long"),
    (5, "the session has ended"),
    (6, "somebody else owns the session"),
    (7, "the daemon cannot be reached"),
    (125, "`wrap`, `run` without -d: hold itself failed; else, as from `wait`, the program's code"),
    (126, "`wrap`, `run` without -d: the program cannot be run"),
    (127, "`wrap`, `run` without -d: there is no such program"),
    (130, "interrupted"),
)
