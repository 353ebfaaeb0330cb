"""Pages of a list: ten thousand sessions that have ended do not fit into one reply."""

from bisect import bisect_right

from holdfast.daemon.record import Record
from holdfast.errors import InvalidArgument
from holdfast.protocol.messages import List

PAGE = 500  # sessions; each has a program line of 1000 characters, and a directory of 4096
LINED_PAGE = 100  # 40 µs each to read and clean its last line: a key waits no longer than for that


def page_of(records: list[Record], asked: List) -> tuple[list[Record], str]:
    """Return the records that were asked for, and what to ask with for those behind them.

    A place is a time and an id, and not an id alone: that session may be forgotten meanwhile.
    """
    if asked.limit < 0:
        raise InvalidArgument(argument="limit", value=str(asked.limit), problem="is negative")
    begin = bisect_right(records, _place(asked.after), key=_place_of) if asked.after else 0
    if not asked.limit:
        return records[begin:], ""
    page = records[begin : begin + min(asked.limit, LINED_PAGE if asked.lines else PAGE)]
    is_last = begin + len(page) >= len(records)
    return page, "" if is_last else "{!r} {}".format(*_place_of(page[-1]))


def _place_of(record: Record) -> tuple[float, str]:
    return record.created, record.id


def _place(text: str) -> tuple[float, str]:
    created, _, session = text.partition(" ")
    try:
        return float(created), session
    except ValueError as error:
        problem = "is no place in a list"
        raise InvalidArgument(argument="after", value=text[:100], problem=problem) from error
