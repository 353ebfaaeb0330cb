"""Commands that look at sessions and change nothing."""

from holdfast.cli.table.words import ID, JSON, Command, option, switch

COMMANDS = (
    Command(
        "ls",
        "list sessions",
        (
            switch("--all", help="ended ones too"),
            JSON,
            switch("--watch", help="again whenever something happens, until Ctrl-C"),
        ),
        (("hold ls", "what lives"), ("hold ls --all --json", "everything, for scripts")),
        "holdfast.cli.listing:ls",
        (
            "TITLE is what the program calls its window, or its command line. On a terminal",
            "columns that would be empty are left out, and the rest is cut to fit.",
        ),
    ),
    Command(
        "show",
        "show everything about one session",
        (ID, JSON),
        (
            ("hold show build", "how it is, or how it ended, and what is kept of it"),
            ("hold show build --json", "the same, for scripts"),
        ),
        "holdfast.cli.show:show",
    ),
    Command(
        "output",
        "show what a session printed",
        (
            ID,
            option("--since", value="N", help="from this offset on (the oldest byte kept)"),
            option("--until", value="N", help="up to this offset (the end)"),
            switch("--raw", help="every byte as it was, also to a terminal"),
            switch("--follow", help="go on until the session ends"),
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
            option("--format", value="FORM", help="text, vt or json (text)"),
            option("--scrollback", value="LINES", help="lines above the screen, or all (0)"),
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
        "events",
        "show what happened to sessions",
        (
            ID._replace(optional=True),
            JSON._replace(help="one JSON object a line, for scripts"),
            option("--since", value="N", help="after this number (all kept; to follow: from now)"),
            switch("--follow", help="go on with what happens"),
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
            option("--last", value="N", help="so many of each session (10)"),
            option("--budget", value="N", help="at most so many characters (16000)"),
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
        "wait",
        "wait until a session has ended",
        (
            ID,
            option("--timeout", value="D", help="at most this long: 90, 1.5s, 1h30m (no limit)"),
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
)  # fmt: skip
