"""Commands about Holdfast itself: settings, counts, shells."""

from holdfast.cli.table.words import JSON, Argument, Command

COMMANDS = (
    Command(
        "stats",
        "show what the daemon counts",
        (JSON,),
        (("hold stats", "for people"), ("hold stats --json", "every number")),
        "holdfast.cli.stats:stats",
        ("Starts no daemon: a new one has counted nothing. Code 7 when none is running.",),
    ),
    Command(
        "config show",
        "show every setting, its value and where that comes from",
        (Argument(("SETTING",), "only this one: session.keep", optional=True), JSON),
        (("hold config show", "all of them"), ("hold config show session.keep", "one value")),
        "holdfast.cli.configuring:show",
    ),
    Command(
        "config path",
        "print where the config file is, or would be",
        (),
        (("hold config path", "it need not exist"), ('$EDITOR "$(hold config path)"', "edit it")),
        "holdfast.cli.configuring:path",
    ),
    Command(
        "config check",
        "say whether every setting can be used",
        (),
        (
            ("hold config check", "names the first that cannot"),
            ("hold config check && hold daemon restart", "have them read"),
        ),
        "holdfast.cli.configuring:check",
        ("Code 2 when one cannot.",),
    ),
    Command(
        "completion",
        "print what makes a shell complete the words of hold",
        (Argument(("SHELL",), "bash, zsh or fish"),),
        (
            ('eval "$(hold completion bash)"', "in ~/.bashrc; likewise zsh in ~/.zshrc"),
            ("hold completion fish | source", "in ~/.config/fish/config.fish"),
        ),
        "holdfast.cli.completion:completion",
        ("Sessions are completed by their names and ids; no daemon is started for that.",),
    ),
)  # fmt: skip
