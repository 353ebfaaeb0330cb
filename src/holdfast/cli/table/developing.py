"""Commands for who builds something that is looked at."""

from holdfast.cli.table.words import Argument, Command, option, switch

COMMANDS = (
    Command(
        "dev",
        "show an app from its folder, and renew it on change",
        (
            Argument(("PATH",), "its folder (here)", optional=True),
            option("--port", value="PORT", help="of our address (the folder's own)"),
            option("--url", value="URL", help="where the program listens (as it says)"),
            switch("--window", help="a window of its own"),
            switch("--browser", help="your browser"),
            switch("--headless", help="only print the address"),
            option("--width", value="PX", help="of the window (1280)"),
            option("--height", value="PX", help="of the window (800)"),
            option("--title", value="TEXT", help="of the window (the page's)"),
            option("--capture", value="DIR", help="look once, write picture, logs, result"),
            switch("--dotfiles", help="serve files whose name begins with a dot, too"),
        ),
        (
            ("hold dev", "the pages or the dev script here"),
            ("hold dev . --capture shots -- ./serve", "look once; exit code 1 if it is wrong"),
        ),
        "holdfast.cli.developing:dev",
        (
            "Without a choice: a window where there is a display, else a browser, else the",
            "address. Closing the window or Ctrl-C ends what was started. Loopback only.",
        ),
        takes_program=True,
    ),
)  # fmt: skip
