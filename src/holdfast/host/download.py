"""A log as a download; what of it is missing is said before it begins, or ends it unfinished."""

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator

from starlette.responses import StreamingResponse

from holdfast.client.aio import Client
from holdfast.client.session import Session
from holdfast.client.view import Chunk, Gap
from holdfast.errors import HoldfastError, InvalidArgument, IoFailed, OffsetPruned
from holdfast.host.asgi import Receive, Scope, Send
from holdfast.host.watchdog import Watchdog
from holdfast.protocol.messages import DiskUse, DiskUsed, Du

SHOWN_HOLES = 100  # in a header, which has to stay within what clients and proxies read

logger = logging.getLogger(__name__)
Holes = list[tuple[int, int, str]]


async def download(
    client: Client, watchdog: Watchdog, name: str, since: int | None, until: int | None
) -> "Download":
    """Return the response that has what is kept of a log."""
    session = await client.attach(name)
    end = session.info.offset if until is None else min(until, session.info.offset)
    if (since or 0) > end:
        problem = f"must be at most {end}"
        raise InvalidArgument(argument="since", value=str(since), problem=problem)
    used = (await client.call(Du(session=session.id), DiskUsed)).sessions[0]
    start = min(used.start if since is None else _kept(since, used), end)
    holes = [hole for hole in used.missing if hole[0] < end and hole[1] > start]
    parts = _parts(session, start, end, holes)
    # What is wrong with it shows at its first part, while there still is a status to say so.
    first = await anext(parts, b"")
    headers = {
        "content-disposition": f'attachment; filename="{session.id}-{start}-{end}.log"',
        "holdfast-range": f"{start}-{end}",
    }
    if holes:
        headers["holdfast-missing"] = _shown(holes)
    return Download(watchdog, first, parts, headers)


def _kept(since: int, used: DiskUse) -> int:
    """Return an offset to begin with, or raise OffsetPruned with the next that is kept."""
    for start, end, _ in [(0, used.start, ""), *used.missing]:
        if start <= since < end:
            raise OffsetPruned(wanted=since, oldest=end)
    return since


class Download(StreamingResponse):
    """A response that is activity for as long as it is sent."""

    def __init__(
        self,
        watchdog: Watchdog,
        first: bytes,
        rest: AsyncGenerator[bytes, None],
        headers: dict[str, str],
    ) -> None:
        self._watchdog = watchdog
        self._rest = rest
        kind = "application/octet-stream"
        super().__init__(_after(first, rest), media_type=kind, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._watchdog.sending()
        try:
            await super().__call__(scope, receive, send)
        except HoldfastError as error:
            # There is a status already; that it stays unfinished is all that can be said.
            logger.info("a download is broken off: %s", error.what)
        finally:
            self._watchdog.sent(time.monotonic())
            await self._rest.aclose()


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


async def _parts(
    session: Session, start: int, end: int, holes: Holes
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a log between two offsets, but for the holes that are known."""
    at = start
    while at < end:
        async with session.output(at) as output:
            async for item in output:
                attached = output.attached
                if attached is not None and attached.outcome != "exact":
                    raise OffsetPruned(wanted=at, oldest=attached.oldest)
                if isinstance(item, Chunk):
                    yield item.data[: end - item.offset]
                    at = item.offset + len(item.data)
                elif isinstance(item, Gap):
                    _check(item, end, holes)
                    at = item.end
                if at >= end:
                    return
            return


def _check(gap: Gap, end: int, holes: Holes) -> None:
    """Break off at a hole that nobody was told of: it was made while this was sent."""
    stop = min(gap.end, end)
    at = gap.start
    for start, behind, _ in holes:
        if start <= at < behind:
            at = behind
    if at < stop:
        reason = f"{gap.start} to {gap.end} is not kept any more: {gap.reason}"
        raise IoFailed(action="sending a log", reason=reason, remedy="load it again")


def _shown(holes: Holes) -> str:
    shown = [f"{start}-{end} {reason}" for start, end, reason in holes[:SHOWN_HOLES]]
    more = len(holes) - len(shown)
    return ", ".join([*shown, f"{more} more"] if more else shown)
