"""Commands that show sessions in a browser."""

from holdfast.cli.table.words import ID, JSON, Command, option, switch

COMMANDS = (
    Command(
        "host",
        "show sessions in a browser, until nobody looks any more",
        (
            option("--listen", value="ADDRESS", help="where it listens (127.0.0.1)"),
            option("--port", value="N", help="0 is any that is free (that of the last host)"),
            option("--idle-timeout", value="TIME", help="ends after that; off: never (10m)"),
            switch("--open", help="open a browser as well"),
            switch("--read-only", help="whoever comes only looks"),
            option("--base-path", value="PATH", help="the path below which it is (/)"),
            option("--url", value="URL", help="where a proxy in front of it has it"),
            option("--tls-cert", value="FILE", help="a certificate, as PEM"),
            option("--tls-key", value="FILE", help="and its key"),
            switch("--insecure", help="without TLS also where others can read along"),
            switch("--revoke", help="end every login and every shared link, and do no more"),
            JSON,
        ),
        (
            ("hold host", "prints an address that lets one browser in"),
            ("hold host --open -- htop", "htop in a browser"),
        ),
        "holdfast.cli.hosting:host",
        ("The address works once, for five minutes. Ctrl-C ends the host, and no session.",),
        takes_program=True,
    ),
    Command(
        "share",
        "print a link to look at one session, through the host that runs",
        (
            ID,
            option("--expires", value="TIME", help="how long it works (1h)"),
            option("--port", value="N", help="of the host to go through (the newest)"),
            JSON,
        ),
        (
            ("hold share build", "whoever has the link sees it for an hour"),
            ("hold share build --expires 10m", "or for ten minutes"),
        ),
        "holdfast.cli.hosting:share",
        ("`hold host --revoke` ends every link.",),
    ),
)
