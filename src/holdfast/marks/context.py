"""Recent commands as text, for a person or a language model: bounded, newest last.

Whoever reads it wants to know what was just done, so the newest commands have the first claim
on the room: each may take an even share of what the newer ones have left, and a few lines anyway.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from holdfast.marks.plain import one_line, plain, shortened

LINE_LIMIT = 2000  # characters of a command line that are shown
LEAST_ROOM = 40  # characters, with fewer of which nothing can be said of a command
FAIR_ROOM = 300  # characters that a newer command may have, though an older one then has none
INDENT = "  "
Clock = Callable[[float], str]
"""A time as people write it."""


class Ran(NamedTuple):
    """A command as it is told."""

    line: str
    started: float = 0.0
    ended: float | None = None
    exit_code: int | None = None
    cwd: str = ""
    author: str = ""
    output: str = ""


class Told(NamedTuple):
    """A session, its commands oldest first, and how many older ones are not among them."""

    title: str
    commands: Sequence[Ran]
    omitted: int = 0


class Text(NamedTuple):
    """What was made of them; `omitted` counts those that are not told of."""

    text: str
    commands: int
    omitted: int


def render(sessions: Sequence[Told], budget: int, clock: Clock) -> Text:
    """Return at most *budget* characters about commands, by session."""
    order = sorted(sessions, key=lambda told: _newest(told.commands))
    wanted = [(at, ran) for at, told in enumerate(order) for ran in told.commands]
    # The newest first: by time, and of one moment the later one of its session.
    by_age = sorted(range(len(wanted)), key=lambda index: (wanted[index][1].started, index))[::-1]
    left = budget - sum(len(_heading(told, len(told.commands))) + 2 for told in order)
    blocks: dict[int, str] = {}
    for done, index in enumerate(by_age):
        share = left // (len(by_age) - done)
        room = max(share, min(left, FAIR_ROOM)) - 2
        if room < LEAST_ROOM:
            break
        blocks[index] = _block(wanted[index][1], room, clock)
        left -= len(blocks[index]) + 2
    parts = [
        _section(told, [blocks[index] for index in sorted(blocks) if wanted[index][0] == at])
        for at, told in enumerate(order)
    ]
    omitted = len(wanted) - len(blocks) + sum(told.omitted for told in order)
    text = "\n\n".join(part for part in parts if part)
    return Text(text if len(text) <= budget else text[: max(0, budget)], len(blocks), omitted)


def _newest(commands: Sequence[Ran]) -> float:
    return max((ran.started for ran in commands), default=0.0)


def _section(told: Told, blocks: list[str]) -> str:
    heading = _heading(told, len(told.commands) - len(blocks))
    return "\n\n".join([heading, *blocks])


def _heading(told: Told, more: int) -> str:
    omitted = told.omitted + more
    title = f"# {one_line(told.title)[:LINE_LIMIT]}"
    if not omitted:
        return title
    return f"{title}\n[{omitted} older command{'s' * (omitted > 1)} left out]"


def _block(ran: Ran, room: int, clock: Clock) -> str:
    line = shortened(plain(ran.line).strip("\n"), min(LINE_LIMIT, max(LEAST_ROOM, room // 2)))
    head = f"$ {line}\n{INDENT}{_facts(ran, clock)}"
    output = plain(ran.output).strip("\n")
    left = room - len(head) - 1
    if not output or left < LEAST_ROOM:
        return head[:room]
    indented = "\n".join(INDENT + line for line in output.split("\n"))
    return f"{head}\n{shortened(indented, left)}"


def _facts(ran: Ran, clock: Clock) -> str:
    if ran.ended is None:
        facts = ["still running" if ran.exit_code is None else f"exit {ran.exit_code}"]
    else:
        facts = ["ended" if ran.exit_code is None else f"exit {ran.exit_code}"]
        if ran.started:
            facts.append(f"after {duration(ran.ended - ran.started)}")
    if ran.started:
        facts.append(clock(ran.started))
    if ran.cwd:
        facts.append(f"in {one_line(ran.cwd)}")
    if ran.author:
        facts.append(f"typed by {one_line(ran.author)}")
    return ", ".join(facts)


def duration(seconds: float) -> str:
    """Return how long something took, as people say it."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
