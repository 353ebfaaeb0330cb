"""Long texts: through a pager where somebody reads them on a terminal, and only there."""

import os
import sys

from holdfast.cli.columns import terminal_size

PAGER = "less"
LESS = "FRX"  # leave at once what fits, show colours, and leave the text on the screen


def show(text: str) -> None:
    """Print a text; one that is longer than the terminal goes through $PAGER."""
    size = terminal_size()
    if size is None or not sys.stdin.isatty() or _rows(text, size.columns) < size.lines:
        print(text)
        return
    import subprocess  # noqa: PLC0415 - `hold ls` comes by here, and seldom needs it

    words = _pager()
    if not words:
        print(text)
        return
    sys.stdout.flush()
    environ = {**os.environ, "LESS": os.environ.get("LESS", LESS)}
    try:
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env=environ)
    except OSError:
        print(text)  # a minimal machine has no less
        return
    try:
        pager.communicate(text.encode(errors="replace") + b"\n")
    except BrokenPipeError:
        pass  # whoever reads has seen enough
    except KeyboardInterrupt:
        pass  # it was for the pager, which is asked to stop and waited for
    while pager.poll() is None:
        try:
            pager.wait()
        except KeyboardInterrupt:
            continue  # less takes it as the end of a search, not of itself


def _pager() -> list[str]:
    """Return the words of the pager; none means that there shall be none."""
    import shlex  # noqa: PLC0415 - as above

    chosen = os.environ.get("PAGER", PAGER)
    try:
        words = shlex.split(chosen)
    except ValueError:
        return [PAGER]
    return [] if words in (["cat"], []) else words


def _rows(text: str, columns: int) -> int:
    """Return about how many rows it takes; what is coloured or wide takes a few fewer or more."""
    return sum(max(1, -(-len(line) // columns)) for line in text.splitlines())
