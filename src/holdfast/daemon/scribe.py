"""Write the records of sessions down, in a thread of its own.

A record is synced, and that waits for the disk; the loop, in which every key and every byte
has its turn, must not wait with it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from holdfast.daemon.printed import report
from holdfast.daemon.record import Record
from holdfast.errors import HoldfastError
from holdfast.store.sessions import JSON, SessionTable

RETRY = 1.0  # seconds between tries to write to a full disk


class Scribe:
    """The newest state of each record reaches the table, in its own time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, table: SessionTable) -> None:
        self._loop = loop
        self._table = table
        self._waiting: dict[
            str, dict[str, JSON]
        ] = {}  # by session; a newer state replaces an older
        self._then: dict[str, Callable[[], None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scribe")
        self._task: asyncio.Task[None] | None = None
        self._complaint = ""

    def put(self, record: Record, then: Callable[[], None] | None = None) -> None:
        """Have a record written; *then* is called once it, or a newer one, is on the disk."""
        self._waiting[record.id] = record.to_json()
        if then is not None:
            self._then[record.id] = then
        if self._task is None:
            self._task = self._loop.create_task(self._write_all())

    def close(self) -> None:
        """Write what still waits, now: the loop is over."""
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown()
        for data in self._waiting.values():
            self._complain(_put(self._table, data))

    async def _write_all(self) -> None:
        while self._waiting:
            session, data = next(iter(self._waiting.items()))
            failed = await self._loop.run_in_executor(self._thread, _put, self._table, data)
            self._complain(failed)
            if failed:
                # The others first: it may be this one's fault alone.
                self._waiting[session] = self._waiting.pop(session)
                await asyncio.sleep(RETRY)
            elif self._waiting[session] is data:
                del self._waiting[session]
                if then := self._then.pop(session, None):
                    then()
        self._task = None

    def _complain(self, text: str) -> None:
        if text and text != self._complaint:
            report(f"a session could not be written down: {text}")
        self._complaint = text


def _put(table: SessionTable, data: dict[str, JSON]) -> str:
    """Store a record; return why that failed, if it did."""
    try:
        table.put(data)
    except (OSError, HoldfastError) as error:
        # The keeper's blob says the same; a full disk must not stop a session.
        return str(error)
    return ""
