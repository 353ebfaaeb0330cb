"""Commands that begin a session, or come back to one."""

from holdfast.cli.table.words import TAKEOVER, Command, option, switch

COMMANDS = (
    Command(
        "run",
        "start a program in a new session and show it",
        (
            switch("-d", "--detach", help="do not show it; print its id"),
            option("-n", "--name", value="NAME", help="a name to call it by"),
            option("-k", "--key", value="KEY", help="find the session of this key, or start it"),
            option("--cwd", value="DIR", help="where it starts (here)"),
            option("--env", value="K=V", help="set a variable; may be repeated", repeats=True),
            option("--size", value="COLSxROWS", help="size of its terminal (yours, or 80x24)"),
            option("--restore", value="WHEN", help="after a reboot: never, shell, always"),
            switch("--ephemeral", help="keep its output in memory only, and nothing afterwards"),
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
            option("-n", "--name", value="NAME", help="a name to call the session by"),
            switch("-q", "--quiet", help="say nothing, neither good news nor bad"),
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
)  # fmt: skip
