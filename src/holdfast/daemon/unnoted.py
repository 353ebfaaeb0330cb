"""Which events the daemon before us did not come to write down.

The keeper is told of a change at once, and the journal a moment later: a death between leaves
a session that has begun or ended, and nobody who says so.
"""

from collections.abc import Container, Iterator
from typing import NamedTuple

from holdfast.daemon.record import Record
from holdfast.session.lifecycle import OVER
from holdfast.store.journal import Journal

AT_ONCE = 1000  # events of one session looked through at a time


class Behind(NamedTuple):
    """What the keeper knows of a session, and what the journal does."""

    record: Record
    row: Record | None


def unnoted(
    journal: Journal, behind: list[Behind], noted: Container[tuple[str, str]]
) -> Iterator[tuple[Record, str]]:
    """Yield each event that is missing, but for those that were *noted* since the start."""
    for record, row in behind:
        wanted = [kind for kind in _wanted(record, row) if (record.id, kind) not in noted]
        # Whether the row is older is no proof: its event may have been written before it.
        have = set(_written(journal, record)) if wanted else set()
        yield from ((record, kind) for kind in wanted if kind not in have)


def _wanted(record: Record, row: Record | None) -> list[str]:
    """Return the kinds of events that the step from *row* to *record* should have left."""
    has_begun = row is None or row.life < record.life
    has_ended = record.state in OVER and (has_begun or row is None or row.state not in OVER)
    kinds = ["created" if record.life == 1 else "restored"] if has_begun else []
    return [*kinds, "exit"] if has_ended else kinds


def _written(journal: Journal, record: Record) -> Iterator[str]:
    """Yield the kinds of events that are known of the present life of a session."""
    since: int | None = 0
    while since is not None:
        page = journal.event_page(since, AT_ONCE, record.id)
        yield from (each.kind for each in page.events if each.facts.get("life") == record.life)
        since = page.upto
