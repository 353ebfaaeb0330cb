"""The one thread that writes to the journal: whatever waits is committed together.

It knows no table, only that a request is a function of the rows.
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from holdfast.errors import HoldfastError, Internal, IoFailed, JournalDamaged, LimitReached
from holdfast.store.journal_errors import CORRUPT, concerns_all, kind_of, translated
from holdfast.store.journal_rows import Rows

logger = logging.getLogger(__name__)

# More in one commit are hardly faster, but a request that comes meanwhile waits for them all.
BATCH = 500
# A disk that hangs for ten seconds under the heaviest load. Beyond it requests are refused:
# whoever sends them has to remember them anyway until they are committed.
WAITING_REQUESTS = 100_000

T = TypeVar("T")


class Request(NamedTuple):
    """One thing to do; `alone` is what cannot be done inside a transaction."""

    work: Callable[[Rows], Any]
    future: Future[Any]
    alone: bool = False


class Writer:
    """Takes requests from any thread; each future is done once its row is committed.

    A future carries DiskFull or IoFailed when nothing of its batch was written, and
    JournalDamaged from the moment on at which the file proved to be damaged.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, rows: Rows) -> None:
        self._path = path
        self._connection = connection
        self._rows = rows
        self._waiting: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._door = threading.Lock()  # nothing is put behind the end
        self._closed = False
        self._damage: JournalDamaged | None = None
        self._identity = _identity(path)
        # A daemon thread: whoever ends without closing must not hang on the way out.
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests whose turn has not come."""
        return self._waiting.qsize()

    def submit(self, work: Callable[[Rows], T], *, alone: bool = False) -> Future[T]:
        """Have *work* done in its turn and return its result, once that is committed."""
        future: Future[T] = Future()
        # What was asked for is done, even when whoever asked gives up waiting for it.
        future.set_running_or_notify_cancel()
        with self._door:
            if self._closed:
                raise Internal(summary="something was to be written to a closed journal")
            if self._waiting.qsize() >= WAITING_REQUESTS:
                remedy = "the disk of the journal does not keep up; try again later"
                resource = "requests to the journal"
                refusal = LimitReached(resource=resource, limit=WAITING_REQUESTS, remedy=remedy)
                future.set_exception(refusal)
            else:
                self._waiting.put(Request(work, future, alone))
        return future

    def close(self) -> None:
        """Commit what waits, note that nothing is missing, and end the thread."""
        with self._door:
            was_closed, self._closed = self._closed, True
            if not was_closed:
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._connection.close()

    def _turn(self) -> bool:
        """Wait for requests and carry them out; return whether there can be more."""
        request = self._waiting.get()
        batch: list[Request] = []
        while request is not None and not request.alone:
            batch.append(request)
            if len(batch) == BATCH or self._waiting.empty():
                break
            request = self._waiting.get()
        if batch:
            self._answer(batch, self._committed)
        if request is None:
            self._mark_closed()
        elif request.alone:
            self._answer([request], self._done_alone)
        return request is not None

    def _answer(self, batch: list[Request], act: Callable[[list[Request]], list[Any]]) -> None:
        try:
            results = act(batch) if self._damage is None else [self._damage] * len(batch)
        except Exception as error:  # noqa: BLE001 - else this thread ends and nobody is answered
            results = [self._failed(error)] * len(batch)
        # Only now, and in their order: nobody has seen a number that may not last.
        for request, result in zip(batch, results, strict=True):
            if isinstance(result, BaseException):
                request.future.set_exception(result)
            else:
                request.future.set_result(result)

    def _committed(self, batch: list[Request]) -> list[Any]:
        # SQLite goes on writing into a file that was renamed or removed, and says it is stored.
        if self._identity != _identity(self._path):
            reason = "it is not the file any more that was opened"
            raise JournalDamaged(action=f"writing to {self._path}", reason=reason)
        self._connection.execute("BEGIN IMMEDIATE")
        results = [self._result(request) for request in batch]
        self._rows.settle()
        self._connection.execute("COMMIT")
        return results

    def _result(self, request: Request) -> Any:
        """Return the result or the error of one request, for which no other has to pay."""
        try:
            return request.work(self._rows)
        except sqlite3.Error as error:
            # SQLite undoes a statement that failed, and some errors end the transaction.
            if concerns_all(error) or not self._connection.in_transaction:
                raise
            return self._in_our_words(error)
        except (ValueError, OverflowError) as error:
            return self._in_our_words(error)

    def _done_alone(self, batch: list[Request]) -> list[Any]:
        return [request.work(self._rows) for request in batch]

    def _failed(self, error: Exception) -> HoldfastError:
        failure = self._in_our_words(error)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._rows.recount()
        except sqlite3.Error as second:
            logger.warning("%s: after %s: %s", self._path, error, second)
            if kind_of(second) in CORRUPT:
                failure = self._in_our_words(second)
        if isinstance(failure, JournalDamaged):
            self._damage = failure
        return failure

    def _in_our_words(self, error: Exception) -> HoldfastError:
        if isinstance(error, HoldfastError):
            return error
        if isinstance(error, sqlite3.Error):
            return _caused(translated(error, self._path, "writing to"), error)
        return _caused(Internal(summary=f"a row cannot be stored: {error!r}"), error)

    def _mark_closed(self) -> None:
        # Nor into a file that was moved aside: it stays as it was found.
        if self._damage is not None or self._identity != _identity(self._path):
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._rows.mark_closed(True)
            self._connection.execute("COMMIT")
            truncate_wal(self._connection, self._path)
        except (sqlite3.Error, IoFailed) as error:
            # Nothing is lost but the certainty: numbers of events will take a leap.
            logger.warning("%s was not closed cleanly: %s", self._path, error)


def purge(connection: sqlite3.Connection, path: Path) -> None:
    """Write the file anew without what was removed from it, and empty its log."""
    # secure_delete is not enough: when a page is split or filled up again, SQLite moves rows
    # and leaves their old bytes in the gap, out of reach of any later deletion.
    connection.execute("VACUUM")
    truncate_wal(connection, path)


def truncate_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Bring all rows into the file itself and leave nothing in the write-ahead log."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise IoFailed(action=f"emptying {path}-wal", reason="somebody is reading it")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _caused(failure: HoldfastError, cause: Exception) -> HoldfastError:
    failure.__cause__ = cause
    return failure
