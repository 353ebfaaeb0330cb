"""Commands about who may change a session."""

from holdfast.cli.table.words import ID, IDS, TAKEOVER, YES, Command, option

COMMANDS = (
    Command(
        "claim",
        "own a session, so that nobody else types, until Ctrl-C",
        (ID,),
        (
            ("hold claim build", "others look on until this command ends"),
            ("timeout 60 hold claim build", "for a minute"),
        ),
        "holdfast.cli.owning:claim",
        (
            "Whoever types into a session owns it anyway. Code 6 when somebody else owns it,",
            "or has taken it over; 5 when it has ended.",
        ),
    ),
    Command(
        "takeover",
        "own a session, whoever does, until Ctrl-C",
        (ID, option("--reason", value="TEXT", help="what the one before is told")),
        (
            ("hold takeover build", "whoever had it looks on from now"),
            ("hold takeover build --reason 'deploy at 5'", "and knows why"),
        ),
        "holdfast.cli.owning:takeover",
    ),
    Command(
        "release",
        "leave a session to whoever claims it next",
        (IDS, YES, TAKEOVER),
        (
            ("hold release build --takeover", "take it from whoever left it open elsewhere"),
            ("hold release 'test-*' --yes", "all of these"),
        ),
        "holdfast.cli.owning:release",
        ("Somebody else's session is released with --takeover alone.",),
    ),
)  # fmt: skip
