"""Commands that change a session."""

from holdfast.cli.table.words import ID, TAKEOVER, Argument, Command, switch

COMMANDS = (
    Command(
        "send",
        "type into a session",
        (
            ID,
            Argument(("TEXT",), "what to type", repeats=True, optional=True),
            switch("--enter", help="press Enter after it"),
            switch("--stdin", help="type what comes from stdin (not in the process list)"),
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
        "kill",
        "end a session's program",
        (
            ID._replace(optional=True),
            switch("--all", help="every living session"),
            switch("--now", help="without the grace: KILL instead of TERM first"),
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
        "restore",
        "start a session's program again that is gone",
        (ID, switch("--yes", help="do not ask")),
        (
            ("hold restore build", "same id, directory, size and output; asks first"),
            ("hold ls --all", "`dormant` and `lost` are what can be restored"),
        ),
        "holdfast.cli.keeping:restore",
        ("A shell starts without a question; anything else is shown and asked about.",),
    ),
)  # fmt: skip
