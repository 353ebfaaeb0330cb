"""Commands about the process that serves."""

from holdfast.cli.table.words import JSON, YES, Argument, Command, switch

COMMANDS = (
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
        (YES,),
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
    Command(
        "daemon install",
        "have systemd start the daemon at every login",
        (switch("--dry-run", help="print the unit, write nothing"),),
        (
            ("hold daemon install --dry-run", "look first"),
            ("hold daemon install && loginctl enable-linger", "sessions outlive a logout"),
        ),
        "holdfast.cli.installing:install",
        (
            "A unit for this user. It has the HOLDFAST_ variables of now. Stopping it ends",
            "the keeper, which `hold daemon restart` never does.",
        ),
    ),
    Command(
        "daemon uninstall",
        "take that unit away again; what runs goes on",
        (),
        (
            ("hold daemon uninstall", "sessions are not touched"),
            ("hold daemon uninstall && hold ls", "and look"),
        ),
        "holdfast.cli.installing:uninstall",
    ),
    Command(
        "doctor",
        "look for what could keep Holdfast from working, and say what to do",
        (JSON,),
        (
            ("hold doctor", "each finding with its fix"),
            ("hold doctor --json", "for scripts"),
        ),
        "holdfast.cli.doctor:doctor",
        ("Starts and changes nothing. Ends with 1 when something is broken, else with 0.",),
    ),
    Command(
        "daemon logs",
        "show what keeper, daemon, reader and host have to report",
        (
            Argument(("PROCESS",), "one of them alone", optional=True),
            switch("-f", "--follow", help="go on with what comes"),
        ),
        (("hold daemon logs", "all of it, oldest first"), ("hold daemon logs reader -f", "one")),
        "holdfast.cli.logs:logs",
        ("Of each log 5 MiB and two older ones are kept. None has what a terminal showed.",),
    ),
)  # fmt: skip
