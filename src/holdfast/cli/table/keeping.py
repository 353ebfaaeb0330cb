"""Commands about what is kept."""

from holdfast.cli.table.words import IDS, JSON, TAKEOVER, YES, Command, option

COMMANDS = (
    Command(
        "clear",
        "drop what a session printed before its last screenful",
        (IDS, YES, TAKEOVER),
        (("hold clear build", "offsets go on as before"), ("hold du", "what is left")),
        "holdfast.cli.keeping:clear",
    ),
    Command(
        "forget",
        "destroy what a session printed; an ended session with everything",
        (
            IDS,
            option("--since", value="N", help="only from this offset on"),
            option("--until", value="N", help="only up to this offset"),
            YES,
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
)  # fmt: skip
