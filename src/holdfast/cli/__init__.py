"""The command line: parses, calls, renders. The only place that prints."""

import os
import sys

from holdfast import __version__

QUICK = ("ls", "send")  # what scripts call in loops and people wait for


def main() -> int:
    """Run `hold` with the arguments of this process; return the exit code."""
    _mend_streams()
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


def _mend_streams() -> None:
    """Have all three streams, and let no name be more than one of them can show.

    Who starts us from a service or with `<&-` may have closed some, and a locale may know no more
    than ASCII: a question mark in a list is better than no list.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the lowest free number: the one that is missing
            setattr(sys, name, open(os.open(os.devnull, os.O_RDWR), mode))  # noqa: PTH123, SIM115
    if sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]


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
