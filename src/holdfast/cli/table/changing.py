"""Commands that change a session."""

from holdfast.cli.table.words import ID, IDS, TAKEOVER, YES, Argument, Command, option, switch

COMMANDS = (
    Command(
        "send",
        "type into a session",
        (
            ID,
            Argument(("TEXT",), "what to type", repeats=True, optional=True),
            option("--keys", value="KEYS", help="press these after it: C-c,Up (hold help keys)"),
            switch("--enter", help="press Enter after it"),
            switch("--stdin", help="type what comes from stdin (not in the process list)"),
            TAKEOVER,
        ),
        (
            ("hold send build 'make test' --enter", "run a command in a shell"),
            ("hold send editor --keys Esc,:,q,Enter", "keys by their names"),
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
            IDS._replace(optional=True),
            switch("--all", help="every living session"),
            switch("--now", help="without the grace: KILL instead of TERM first"),
            YES,
            TAKEOVER,
        ),
        (("hold kill build", "TERM, then KILL"), ("hold kill 'test-*' --yes", "all of these")),
        "holdfast.cli.sessions:kill",
        ("More than one session is asked about; without a terminal --yes has to be said.",),
    ),
    Command(
        "signal",
        "send a signal to a session's program",
        (
            IDS,
            Argument(("SIGNAL",), "its name; a wrong one is answered with the list"),
            YES,
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
        "resize",
        "give the terminal of a session another size",
        (IDS, Argument(("SIZE",), "COLSxROWS"), TAKEOVER),
        (
            ("hold resize build 120x40", "its program is told, as by a window"),
            ("hold resize 'test-*' 80x24", "all of these"),
        ),
        "holdfast.cli.verbs:resize",
        ("The size is that of the owner's terminal: the next one brings its own.",),
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
        (IDS, YES),
        (
            ("hold restore build", "same id, directory, size and output; asks first"),
            ("hold ls --all", "`dormant` and `lost` are what can be restored"),
        ),
        "holdfast.cli.keeping:restore",
        ("A shell starts without a question; anything else is shown and asked about.",),
    ),
)  # fmt: skip
