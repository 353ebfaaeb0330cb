"""Settle at a start what nobody holds any more: do and write down what was decided of it."""

import gc
import time
from collections.abc import Container, Iterable

from holdfast.daemon.books import Books
from holdfast.daemon.mirrors import Mirrors
from holdfast.daemon.reconciling import BOOT, Reconciling, boot_id, journalled
from holdfast.daemon.record import Record
from holdfast.daemon.restoring import Restoring
from holdfast.daemon.unnoted import unnoted
from holdfast.session.recovery import Do
from holdfast.store.journal import Journal


def read(journal: Journal) -> list[Record]:
    """Return what the journal knows of each session; in a thread, before anybody else asks it.

    Of ten thousand sessions it takes half a second, in which somebody may be typing. What is
    read stays: no collection need go through it, now or later.
    """
    gc.disable()
    try:
        return list(journalled(journal))
    finally:
        gc.enable()
        gc.freeze()


def settle(
    journal: Journal,
    rows: Iterable[Record],
    books: Books,
    start: Reconciling,
    restoring: Restoring,
    *,
    mirrors: Mirrors,
    held: Container[str],
) -> None:
    """Begin with the journal and what was read of it.

    *held* are the ids of all that the keeper has or starts.
    """
    books.places.sweep_memory(held)
    # Before anything of what we know is written: it shows what was not.
    decided = list(start.rest(journal, rows, held))
    missing = list(unnoted(journal, start.behind, books.scribe.early_events))
    books.scribe.open(journal)
    for record, kind in missing:
        books.note(record, kind)
    for record, outcome in decided:
        if outcome.do is Do.WAIT:
            mirrors.resume(record)
            books.scribe.put(record)
            continue
        if outcome.do is Do.RESTORE:
            restoring.begin_unasked(record)
        kind = "lost" if outcome.do is Do.LOSE else "dormant"
        books.places.remove_page(record)
        books.scribe.put(record)
        books.scribe.event(record, kind, time.time(), recovery=record.recovery)
    journal.note(BOOT, boot_id())
