"""Commands that show sessions in a window of this desktop."""

from holdfast.cli.table.words import Argument, Command, option, switch

COMMANDS = (
    Command(
        "window",
        "show sessions in a window of its own, until it is closed",
        (
            Argument(("ID",), "the session it shows (the page with all of them)", optional=True),
            option("--width", value="PX", help="how wide it is (as last time, 1280)"),
            option("--height", value="PX", help="how high (as last time, 800)"),
            option("--title", value="TEXT", help="what it is called (as its page)"),
            switch("--debug", help="with developer tools; what the page logs on stderr"),
            switch("--drive", help="commands on stdin, what happens on stdout, as JSON lines"),
        ),
        (
            ("hold window build", "one session; without a name all of them"),
            ("hold window --width 1600", "wider than last time"),
        ),
        "holdfast.cli.windowing:window",
        (
            "It uses the host that runs, or starts one. Sessions live on when it is closed.",
            "Needs `pip install 'holdfast[window]'`; without, a browser shows the same.",
        ),
    ),
)
