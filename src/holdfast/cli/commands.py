"""Every command of `hold`, as a table. Parsing, help and the reference are made from it."""

from holdfast.cli.table import (
    changing,
    daemon,
    developing,
    hosting,
    keeping,
    looking,
    owning,
    service,
    starting,
    windowing,
)
from holdfast.cli.table.words import Argument, Command

__all__ = ["BY_NAME", "COMMANDS", "EXIT_CODES", "GROUPS", "SECTIONS", "Argument", "Command"]

SECTIONS = (
    ("begin and come back", starting.COMMANDS),
    ("look", looking.COMMANDS),
    ("change", changing.COMMANDS),
    ("own", owning.COMMANDS),
    ("in a browser or a window", (*hosting.COMMANDS, *windowing.COMMANDS, *developing.COMMANDS)),
    ("keep and destroy", keeping.COMMANDS),
    ("Holdfast itself", (*service.COMMANDS, *daemon.COMMANDS)),
)
COMMANDS = tuple(command for _, commands in SECTIONS for command in commands)
BY_NAME = {command.name: command for command in COMMANDS}
GROUPS = {
    "daemon": "the process that serves, and its keeper",
    "config": "what can be set",
}

EXIT_CODES = (
    (0, "done"),
    (1, "failed"),
    (2, "the command line or a setting is wrong"),
    (3, "no such session"),
    (4, "took too long"),
    (5, "the session has ended"),
    (6, "somebody else owns the session"),
    (7, "the daemon cannot be reached"),
    (125, "`wrap`, `attach`, `run` without -d: hold itself failed; else the program's code"),
    (126, "`wrap`, `run` without -d: the program cannot be run"),
    (127, "`wrap`, `run` without -d: there is no such program"),
    (130, "interrupted"),
)
