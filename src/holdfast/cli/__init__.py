"""The command line: parses, calls, renders. The only place that prints."""

import sys

from holdfast import __version__


def main() -> int:
    """Run `hold` with the arguments of this process; return the exit code."""
    if sys.argv[1:] == ["--version"]:
        print(f"holdfast {__version__}")
        return 0
    from holdfast.cli.dispatch import run  # noqa: PLC0415 - the version is asked for in loops

    return run(sys.argv[1:])
