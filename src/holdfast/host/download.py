"""A log as a download; what of it is missing is said before it begins, or ends it unfinished."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

from holdfast.client.aio import Client
from holdfast.client.session import Session
from holdfast.client.view import Chunk, Gap
from holdfast.errors import InvalidArgument, IoFailed, OffsetPruned
from holdfast.protocol.messages import DiskUse, DiskUsed, Du

SHOWN_HOLES = 100  # in a header, which has to stay within what clients and proxies read

Holes = list[tuple[int, int, str]]


class Log(NamedTuple):
    """What is kept of a log, as it is to be sent."""

    first: bytes
    rest: AsyncGenerator[bytes, None]
    headers: dict[str, str]


async def log_of(client: Client, name: str, since: int | None, until: int | None) -> Log:
    """Return what is kept of a log between two offsets."""
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
    return Log(first, parts, headers)


def _kept(since: int, used: DiskUse) -> int:
    """Return an offset to begin with, or raise OffsetPruned with the next that is kept."""
    for start, end, _ in [(0, used.start, ""), *used.missing]:
        if start <= since < end:
            raise OffsetPruned(wanted=since, oldest=end)
    return since


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
