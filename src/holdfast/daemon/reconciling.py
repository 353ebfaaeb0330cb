"""What becomes of each session at a start: finds the facts, asks the table of `session`."""

import time
from collections.abc import Container, Iterable, Iterator

from holdfast.daemon.places import Places
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.daemon.reporting import report
from holdfast.daemon.unnoted import Behind
from holdfast.errors import HoldfastError
from holdfast.session.lifecycle import OVER, Event, State, advance
from holdfast.session.recovery import (
    Do,
    Found,
    Keeper,
    Outcome,
    is_interactive_shell,
    is_to_come_back,
    policy_of,
    reconcile,
)
from holdfast.store.journal import Journal
from holdfast.store.log import written_ns
from holdfast.store.mend import mend
from holdfast.types import Size

UNKNOWN_SIZE = Size(80, 24)
BOOT = "boot"


class Reconciling:
    """Journal, keeper and disk, brought together once at each start."""

    def __init__(self, records: Records, places: Places) -> None:
        self._records = records
        self._places = places
        self._rebooted = False
        self.behind: list[Behind] = []
        """What the keeper told us of, beside what the journal has of it."""
        self.highest: dict[str, int] = {}
        """Of sessions whose log may have lost its end: the highest offset ever seen."""

    def outcome(self, record: Record, keeper: Keeper, *, is_journalled: bool = True) -> Outcome:
        """Return what becomes of a session of which we have this record."""
        found = self._found(record, keeper)
        return reconcile(found if is_journalled else found._replace(journal=None))

    def _found(self, record: Record, keeper: Keeper) -> Found:
        return Found(
            record.state,
            keeper,
            keeper is not Keeper.NOTHING or self._places.has_log(record.id),
            policy_of(record.restore),
            is_interactive_shell(record.argv),
            record.short_lives,
            record.mirrored,
        )

    def is_to_come_back(self, record: Record) -> bool:
        """Whether a program that a shutdown ends is to be there again afterwards."""
        return is_to_come_back(self._found(record, Keeper.ENDED))

    def rest(
        self, journal: Journal, rows: Iterable[Record], held: Container[str]
    ) -> Iterator[tuple[Record, Outcome]]:
        """Decide about everything that nobody holds; yield what has changed.

        *rows* are what the journal knows of each session.
        """
        self._places.finish_forgetting()
        self._rebooted = journal.noted(BOOT) not in (None, boot_id())
        held_rows: dict[str, Record | None] = dict.fromkeys(self._records.by_id)
        for record in rows:
            # What the keeper holds it also has a newer record of.
            if record.id in held_rows:
                held_rows[record.id] = record
            elif record.id not in self._records.by_id:
                self._records.add(record)
        known = self._records.by_id
        self.behind = [Behind(known[session], row) for session, row in held_rows.items()]
        for session in self._places.found() - self._records.by_id.keys():
            if session not in held:
                yield from self._decide(nameless(session), is_journalled=False)
        for record in self._records.all():
            if record.id not in held and record.state not in OVER:
                yield from self._decide(record)

    def _decide(
        self, record: Record, *, is_journalled: bool = True
    ) -> Iterator[tuple[Record, Outcome]]:
        outcome = self.outcome(record, Keeper.NOTHING, is_journalled=is_journalled)
        if outcome.do is Do.DISCARD:
            self._places.remove(record)
            return
        self._records.add(record)
        if outcome.do is Do.KEEP:
            return
        # Before the log is mended, which writes to it.
        record.active_ns = max(record.active_ns, written_ns(self._places.directory(record)))
        self._mend(record)
        if outcome.do is Do.WAIT:
            record.recovery = outcome.recovery
            yield record, outcome
            return
        if record.state is State.DORMANT:
            if outcome.do is Do.LOSE:
                record.state = advance(record.state, Event.KILL_ASKED)
        else:
            goes_on = outcome.do in (Do.SLEEP, Do.RESTORE)
            record.state = advance(record.state, Event.SLEPT if goes_on else Event.VANISHED)
        record.recovery, record.pid, record.owner = outcome.recovery, None, {}
        yield record, outcome

    def _mend(self, record: Record) -> None:
        """Have the log hold only what was printed, if the machine may have lost power.

        After a mere SIGKILL every byte is there, also those that no tick vouches for yet.
        """
        directory = self._places.directory(record)
        if not self._rebooted or not directory.is_dir():
            return
        try:
            mended = mend(directory, time.time_ns())
        except (OSError, HoldfastError) as error:
            report("the log could not be checked", session=record.id, reason=error)
            return
        record.offset = max(record.offset, mended.highest)
        self.highest[record.id] = record.offset
        if mended.torn:
            report("the log was torn", session=record.id, kept_without=mended.torn)


def boot_id() -> str:
    """Return what differs after each boot; empty where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123 - one line
            return file.read().strip()
    except OSError:
        return ""


def journalled(journal: Journal) -> Iterator[Record]:
    """Yield what the journal knows of each session, as far as it can be read."""
    for row in journal.each_session():
        try:
            yield Record.from_json(row)
        except (KeyError, TypeError, ValueError) as error:
            report("a record of a session cannot be used", reason=repr(error))


def nameless(session: str) -> Record:
    """Return a record for a log of which nothing else is known."""
    return Record(id=session, argv=[], cwd="", size=UNKNOWN_SIZE, created=0.0)
