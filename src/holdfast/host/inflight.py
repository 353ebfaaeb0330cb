"""The calls of one socket that are under way, and how many of them there may be.

They begin in the order in which they came and end when they end: a session that takes long to
start holds up no key. Beyond the bound the next message waits to be read, as far as the
socket's peer; if nothing ends for ten seconds either, the socket is dropped. Its page comes
back by itself, and is told of nothing that was not done.
"""

import asyncio
from collections.abc import Coroutine

MOST = 64  # a page has a handful under way
MOST_BYTES = 512 << 10  # of their messages: a paste is typed in pieces of 64 KiB
PATIENCE = 10.0  # seconds; less than the 20 s of a ping, which is not read meanwhile either


class Calls:
    """Those of one socket."""

    def __init__(
        self, *, most: int = MOST, most_bytes: int = MOST_BYTES, patience: float = PATIENCE
    ) -> None:
        self._most, self._most_bytes, self._patience = most, most_bytes, patience
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._under_way)

    async def begin(self, work: Coroutine[None, None, None], size: int) -> bool:
        """Begin with it as soon as there is room; false says that there was none in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while self._under_way and not self._has_room(size):
            left = until - loop.time()
            if left <= 0:
                work.close()
                return False
            await asyncio.wait(self._under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        task = loop.create_task(work)
        self._under_way[task] = size
        self._bytes += size
        task.add_done_callback(self._ended)
        return True

    def _has_room(self, size: int) -> bool:
        return len(self._under_way) < self._most and self._bytes + size <= self._most_bytes

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._bytes -= self._under_way.pop(task)
