"""Watches a folder; the only file that knows watchfiles."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import Change, awatch

STEP = 5  # ms without another event until a batch is told; the default of 50 costs 75
LONGEST = 50  # ms after which a batch is told although events go on


async def watch(
    root: Path,
    touched: Callable[[Iterable[tuple[str, bool, bool]]], None],
    stop: asyncio.Event,
) -> None:
    """Tell what is touched below *root* until *stop*: path, whether added, whether deleted.

    Raises OSError when the system refuses to watch.
    """
    batches = awatch(
        root,
        watch_filter=None,
        debounce=LONGEST,
        step=STEP,
        stop_event=stop,
        rust_timeout=1000,
        ignore_permission_denied=True,
    )
    async for batch in batches:
        touched(_told(batch))


def _told(batch: set[tuple[Change, str]]) -> list[tuple[str, bool, bool]]:
    kinds: dict[str, set[Change]] = {}
    for change, path in batch:
        kinds.setdefault(path, set()).add(change)
    return [(path, Change.added in each, Change.deleted in each) for path, each in kinds.items()]
