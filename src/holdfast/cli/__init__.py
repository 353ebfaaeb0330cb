"""The command line: parses, calls, renders. The only place that prints."""

import os
import sys

from holdfast import __version__

QUICK = ("ls", "send")  # what scripts call in loops and people wait for


def main() -> int:
    """Run `hold` with the arguments of this process; return the exit code."""
    words = sys.argv[1:]
    if words == ["--version"]:
        print(f"holdfast {__version__}")
        return 0
    client_id = ""
    if words and words[0] in QUICK:
        from holdfast.cli import quick  # noqa: PLC0415 - the others have their own imports

        try:
            return quick.run(words)
        except quick.Ordinary as ordinary:
            client_id = ordinary.client_id
        except BaseException as error:  # noqa: BLE001 - it is told as every other error is
            from holdfast.cli.dispatch import code_told  # noqa: PLC0415 - only for bad days

            return code_told(error)
    if words[:1] in ([], ["attach"]):
        return _attach(words)
    from holdfast.cli.dispatch import run  # noqa: PLC0415 - the version is asked for in loops

    return run(words, client_id)


def _attach(words: list[str]) -> int:
    """Attach, with a first look at the session while the rest is imported."""
    from holdfast.cli.first_look import FirstLook  # noqa: PLC0415 - for who attaches

    look = FirstLook()
    try:
        look.show(words, os.environ)
        from holdfast.cli.dispatch import run  # noqa: PLC0415 - while one looks

        return run(words, look=look)
    except KeyboardInterrupt:
        return 130
    finally:
        look.over()
