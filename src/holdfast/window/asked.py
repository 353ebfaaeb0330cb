"""What a window is asked for: the arguments of its process, written and read in one place."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT = 1280, 800
LEAST, MOST = 200, 16384  # pixels; below one cannot grab it, above no screen goes
FROM_STDIN = "-"


class Look(NamedTuple):
    """How a window is wanted. What is None is as it was last time."""

    width: int | None = None
    height: int | None = None
    title: str = ""
    """Empty is whatever the page calls itself."""
    debug: bool = False
    """With the developer tools, and with what the page logs on stderr."""
    keep: Path | None = None
    """A directory of ours in which place and storage outlive the window; None is nowhere."""


class Asked(NamedTuple):
    """All a window is told at its start."""

    url: str
    """`-` when it comes on stdin: an address may hold a code, and anybody can list processes."""
    look: Look


def words_of(asked: Asked) -> list[str]:
    """Return the arguments that `parse` reads."""
    look = asked.look
    words = [asked.url]
    for name, value in (
        ("width", look.width),
        ("height", look.height),
        ("title", look.title),
        ("keep", look.keep),
    ):
        if value:
            words.append(f"--{name}={value}")
    return [*words, "--debug"] if look.debug else words


def parse(words: Sequence[str]) -> Asked:
    """Return what the arguments say; leaves the process when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.window", description=__doc__)
    parser.add_argument("url", help="what is shown; - reads it from stdin, then commands")
    parser.add_argument("--width", type=_pixels, metavar="N")
    parser.add_argument("--height", type=_pixels, metavar="N")
    parser.add_argument("--title", default="")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("--debug", action="store_true")
    found = parser.parse_args(words)
    look = Look(found.width, found.height, found.title, found.debug, found.keep)
    return Asked(found.url, look)


def is_size(pixels: int) -> bool:
    """Return whether a window can be that wide or high."""
    return LEAST <= pixels <= MOST


def _pixels(text: str) -> int:
    number = int(text)
    if not is_size(number):
        raise argparse.ArgumentTypeError(f"{text} is not from {LEAST} to {MOST}")
    return number
