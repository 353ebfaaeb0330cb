"""Records of commands: kept in the journal, listed, and told as text."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from holdfast.daemon.books import Books
from holdfast.daemon.housekeeping import Housekeeping
from holdfast.daemon.mirrors import Mirrors
from holdfast.daemon.record import Record
from holdfast.daemon.reporting import report
from holdfast.errors import HoldfastError, InvalidArgument
from holdfast.marks.context import Ran, Told, render
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.messages import (
    CommandRecord,
    Commands,
    CommandsListed,
    Context,
    GetContext,
    RecordCommand,
    Recorded,
)
from holdfast.session.lifecycle import LIVE
from holdfast.store.log_reader import LogReader

ID_LIMIT = 64  # characters
RECORD_LIMIT = 128 << 10  # bytes of one record: a longer line or summary is a file
REPLY_LIMIT = 2 << 20  # bytes of one list, half of what a frame may hold
BUDGET_LIMIT = 1 << 20  # characters of a context
LAST_LIMIT = 1000  # commands of a context
HIGHEST = 1 << 53  # beyond it a number is none to a page in a browser
PIECE = 4096  # bytes read at each end of an output that has no summary: a screenful
CLOCK = "%Y-%m-%d %H:%M:%S"


class Known(NamedTuple):
    """The newest records of a session, oldest first, and how many older ones there are."""

    session: Record
    records: list[CommandRecord]
    older: int


class CommandBook:
    """What is known of commands, of whatever session."""

    def __init__(self, books: Books, mirrors: Mirrors, housekeeping: Housekeeping) -> None:
        self._books = books
        self._mirrors = mirrors
        self._housekeeping = housekeeping

    async def record(self, client: DaemonEnd, asked: RecordCommand) -> Recorded:
        """Keep a record; the reply comes once it would survive us."""
        session, record = self._mirrors.held_by(client, asked.session), asked.record
        _check(record)
        facts = msgspec.to_builtins(record)
        await self._books.scribe.command(session, record.id, record.started, facts)
        return Recorded(id=record.id)

    async def commands(self, _client: DaemonEnd, asked: Commands) -> CommandsListed:
        if asked.last < 0:
            raise InvalidArgument(argument="last", value=str(asked.last), problem="is negative")
        known = self._known(self._books.records.find(asked.session), asked.last)
        records = _that_fit(known.records)
        older = known.older + len(known.records) - len(records)
        return CommandsListed(records=records, omitted=older)

    async def context(self, _client: DaemonEnd, asked: GetContext) -> Context:
        _check_bound("last", asked.last, LAST_LIMIT)
        _check_bound("budget", asked.budget, BUDGET_LIMIT)
        if asked.session:
            sessions = [self._books.records.find(asked.session)]
        else:
            sessions = [one for one in self._books.records.all() if one.state in LIVE]
        known = [self._known(one, asked.last) for one in sessions]
        work = partial(_context, known, asked.budget, self._books.places.directory)
        # In a thread: it may read output, and it makes text of it.
        return await self._housekeeping.run(work)

    def _known(self, session: Record, last: int) -> Known:
        rows, count = self._books.scribe.commands(session, last)
        records = [record for row in rows if (record := _record(row)) is not None]
        return Known(session, records, count - len(records))


def _check(record: CommandRecord) -> None:
    if not 1 <= len(record.id) <= ID_LIMIT or not record.id.isprintable():
        problem = f"must be 1 to {ID_LIMIT} printable characters"
        raise InvalidArgument(argument="id", value=record.id[:ID_LIMIT], problem=problem)
    size = len(msgspec.json.encode(record))
    if size > RECORD_LIMIT:
        problem = f"a record has {RECORD_LIMIT} bytes at most"
        remedy = "shorten its line or its summary"
        raise InvalidArgument(argument="record", value=str(size), problem=problem, remedy=remedy)
    for name, value in (("offset", record.offset), ("length", record.length)):
        if not 0 <= value <= HIGHEST:
            problem = f"must be 0 to {HIGHEST}"
            raise InvalidArgument(argument=name, value=str(value), problem=problem)


def _check_bound(name: str, value: int, limit: int) -> None:
    if not 1 <= value <= limit:
        problem = f"must be 1 to {limit}"
        raise InvalidArgument(argument=name, value=str(value), problem=problem)


def _record(row: dict[str, Any]) -> CommandRecord | None:
    try:
        return msgspec.convert(row, CommandRecord)
    except msgspec.ValidationError as error:
        report("a record of a command cannot be used", reason=repr(error))
        return None


def _that_fit(records: list[CommandRecord]) -> list[CommandRecord]:
    """Return the newest that fit into one reply."""
    fitting, size = 0, 0
    for record in reversed(records):
        size += len(msgspec.msgpack.encode(record))
        if size > REPLY_LIMIT:
            break
        fitting += 1
    return records[len(records) - fitting :]


# -- as text


def _context(known: list[Known], budget: int, directory: Callable[[Record], Path]) -> Context:
    told = []
    for session, records, older in known:
        if records:
            with LogReader(directory(session)) as log:
                commands = [_ran(record, log) for record in records]
            told.append(Told(_title(session), commands, older))
    text = render(told, budget, _clock)
    return Context(text=text.text, commands=text.commands, omitted=text.omitted)


def _title(session: Record) -> str:
    name = f" ({session.name})" if session.name else ""
    host = session.attributes.get("hostname", "")
    return f"session {session.id}{name}{' on ' + host if host else ''}, {session.state.value}"


def _ran(record: CommandRecord, log: LogReader) -> Ran:
    return Ran(
        line=record.line,
        started=record.started,
        ended=record.ended,
        exit_code=record.exit_code,
        cwd=record.cwd,
        author=record.author,
        output=record.summary or _output(record, log),
    )


def _output(record: CommandRecord, log: LogReader) -> str:
    """Return head and tail of what a command printed, as far as it is kept."""
    start, end = record.offset, record.offset + record.length
    try:
        end = min(end, log.end())
        if end - start <= 2 * PIECE:
            return log.read(start, max(0, end - start)).decode(errors="replace")
        head, tail = log.read(start, PIECE), log.read(end - PIECE, PIECE)
    except (HoldfastError, FileNotFoundError):
        return ""  # it is not kept
    middle = f"\n[... {end - start - 2 * PIECE} bytes left out ...]\n"
    return head.decode(errors="replace") + middle + tail.decode(errors="replace")


def _clock(moment: float) -> str:
    try:
        return time.strftime(CLOCK, time.localtime(moment))
    except (OverflowError, ValueError, OSError):
        return "at no time"  # that a clock could show
