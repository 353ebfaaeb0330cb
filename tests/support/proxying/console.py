"""The proxy from outside: a command a line on standard input, an answer a line on output."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from tests.support.proxy import Proxy, proxied
from tests.support.proxying.controls import Controls
from tests.support.proxying.flow import Direction

HEAD = """A line is a command; one answer follows, `ok`, a line of JSON, or `error: ...`.
Before those marked * may stand the number of a connection (from 0; -1 is the newest) or
`future`: connections to come. Without it they concern all, those to come too.
WAY is up (to the daemon) or down; without it both, or down where one is needed.
"""

Words = list[str]


class Verb(NamedTuple):
    usage: str
    does: str
    act: Callable[[Any, Words], object]


def way(words: Words) -> Direction | None:
    return Direction(words[0]) if words else None


def one_way(words: Words) -> Direction:
    return way(words) or Direction.DOWN


def counts(proxy: Proxy, words: Words) -> object:
    if not words:
        seen = proxy.counts()
        return asdict(seen) | {"up": seen.up._asdict(), "down": seen.down._asdict()}
    up, down = proxy.counts_of(int(words[0]))
    return {"up": up._asdict(), "down": down._asdict()}


CONTROLS: dict[str, Verb] = {
    "cut": Verb("", "close both sides at once", lambda on, _: on.cut()),
    "cut-after": Verb(
        "BYTES [WAY]",
        "cut once exactly so many bytes have passed",
        lambda on, words: on.cut_after(int(words[0]), one_way(words[1:])),
    ),
    "cut-after-frame": Verb(
        "N [WAY]",
        "cut on the boundary behind the n-th frame",
        lambda on, words: on.cut_after(0, one_way(words[1:]), frame=int(words[0])),
    ),
    "half-open": Verb(
        "[WAY]", "swallow everything, close nothing", lambda on, words: on.half_open(way(words))
    ),
    "delay": Verb(
        "SECONDS [WAY]",
        "let each frame pass so much later",
        lambda on, words: on.delay(float(words[0]), way(words[1:])),
    ),
    "throttle": Verb(
        "RATE [WAY]",
        "let so many bytes pass a second",
        lambda on, words: on.throttle(float(words[0]), way(words[1:])),
    ),
    "duplicate": Verb(
        "N [WAY]",
        "let the n-th frame pass twice",
        lambda on, words: on.duplicate(int(words[0]), one_way(words[1:])),
    ),
    "reorder": Verb(
        "N [WAY]",
        "hold the n-th frame back until the next has passed",
        lambda on, words: on.reorder(int(words[0]), one_way(words[1:])),
    ),
    "freeze": Verb("[WAY]", "let nothing move", lambda on, words: on.freeze(way(words))),
    "thaw": Verb("[WAY]", "let it go on", lambda on, words: on.thaw(way(words))),
    "heal": Verb("[WAY]", "take every fault away", lambda on, words: on.heal(way(words))),
}
OTHERS: dict[str, Verb] = {
    "refuse": Verb(
        "[TIMES]",
        "accept and drop at once",
        lambda proxy, words: proxy.refuse(*map(int, words)),
    ),
    "accept": Verb("", "refuse no longer", lambda proxy, _: proxy.accept()),
    "gone": Verb("", "take the path away", lambda proxy, _: proxy.gone()),
    "back": Verb("", "return on the same path", lambda proxy, _: proxy.back()),
    "counts": Verb("[CONNECTION]", "say what was seen, as JSON", counts),
    "help": Verb("", "say this", lambda _, __: help_text()),
    "quit": Verb("", "close everything and end, as the end of input does", lambda _, __: None),
}


def help_text() -> str:
    rows = [("*", *row) for row in CONTROLS.items()] + [(" ", *row) for row in OTHERS.items()]
    lines = [f"{star} {name + ' ' + verb.usage:<26} {verb.does}" for star, name, verb in rows]
    return HEAD + "\n".join(lines)


def obey(proxy: Proxy, line: str) -> str:
    """Carry one command out and return the answer."""
    words = line.split()
    try:
        if words[0] in OTHERS:
            result = OTHERS[words[0]].act(proxy, words[1:])
        else:
            controls, words = aimed(proxy, words)
            result = CONTROLS[words[0]].act(controls, words[1:])
    except (KeyError, IndexError, ValueError, TypeError, OSError, AssertionError) as error:
        return f"error: {line!r}: {type(error).__name__}: {error}; try help"
    if result is None:
        return "ok"
    return result if isinstance(result, str) else json.dumps(result)


def aimed(proxy: Proxy, words: Words) -> tuple[Controls, Words]:
    """Return whom a command is for, and the command."""
    if words[0] == "future":
        return proxy.future, words[1:]
    if words[0].lstrip("-").isdigit():
        return proxy.connection(int(words[0]), patience=1), words[1:]
    return proxy.every, words


def commands() -> Iterator[str]:
    for line in sys.stdin:
        if line.strip() == "quit":
            return
        if line.strip():
            yield line.strip()


def main(arguments: Words) -> int:
    if len(arguments) != 2:
        print("usage: python -m tests.support.proxy LISTEN TARGET", file=sys.stderr)
        return 2
    listen, target = arguments
    with proxied(target, listen) as proxy:
        print("ready", flush=True)
        for line in commands():
            print(obey(proxy, line), flush=True)
    return 0
