"""Commands that begin a session, or come back to one."""

from holdfast.cli.table.words import ID, TAKEOVER, Command, option, switch

ANY_BEGINNING = ID._replace(
    optional=True, help="an id or name, the beginning of one, or a key; -: the one before"
)
NESTED = switch("--nested", help="also from inside another session")

COMMANDS = (
    Command(
        "run",
        "start a program in a new session and show it",
        (
            switch("-d", "--detach", help="do not show it; print its id"),
            switch("--wait", help="show what it prints until it ends, and type nothing"),
            option("-n", "--name", value="NAME", help="(its program or directory; '' is none)"),
            option("-k", "--key", value="KEY", help="find the session of this key, or start it"),
            option("--cwd", value="DIR", help="where it starts (here)"),
            option("--env", value="K=V", help="set a variable; may be repeated", repeats=True),
            option("--size", value="COLSxROWS", help="size of its terminal (yours, or 80x24)"),
            option("--restore", value="WHEN", help="after a reboot: never, shell, always"),
            switch("--ephemeral", help="keep its output in memory only, and nothing afterwards"),
            TAKEOVER,
            NESTED,
        ),
        (
            ("hold run", "your shell, kept"),
            ("hold run -d -n build -- make -j4", "a build that goes on without you"),
        ),
        "holdfast.cli.starting:run",
        (
            "Without CMD it is $SHELL. Ctrl-\\ twice leaves; the program goes on. Its exit",
            "code is ours; 125: hold failed, 126: cannot be run, 127: not found, 0: you left",
        ),
        takes_program=True,
    ),
    Command(
        "attach",
        "come back to a session, in this terminal",
        (
            ANY_BEGINNING,
            switch("--observe", help="look on: type nothing, change nothing, start nothing"),
            TAKEOVER,
            option("--since", value="N", help="show what it printed from this offset on"),
            NESTED,
        ),
        (
            ("hold attach build", "your terminal is on it; Ctrl-\\ twice leaves"),
            ("hold attach", "the one that you were on last"),
        ),
        "holdfast.cli.attaching:attach",
        (
            "Ctrl-\\ twice (or Ctrl-\\ d) leaves, Ctrl-\\ t takes over, Ctrl-\\ ? shows the keys,",
            "Ctrl-\\ i leaves what is shown inside of it (behind ssh, with --nested);",
            "a lone Ctrl-\\ goes to the program. Who owns a session types; others look on.",
            "Ends with 0 when you leave, else with the program's code; 5 when it can be",
            "restored; 125 when hold itself fails.",
        ),
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
