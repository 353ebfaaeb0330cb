"""Pages of a list: each record once, whatever happens between two pages."""

import pytest

from holdfast.daemon.listing import LINED_PAGE, PAGE, page_of
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.errors import InvalidArgument
from holdfast.protocol.messages import List
from holdfast.types import Size


def records(count: int) -> Records:
    made = Records()
    for number in range(count):
        # Some were created at the same time.
        at = 1_750_000_000.25 + number // 3
        made.add(Record(id=f"s{number:04}", argv=[], cwd="/", size=Size(80, 24), created=at))
    return made


def walk(made: Records, limit: int, *, lines: bool = False) -> list[list[str]]:
    pages, after = [], ""
    while True:
        asked = List(after=after, limit=limit, lines=lines)
        page, after = page_of(made.all(), asked)
        pages.append([record.id for record in page])
        if not after:
            return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20, 21])
def test_every_record_is_on_one_page(limit: int) -> None:
    pages = walk(records(20), limit)

    assert [each for page in pages for each in page] == [f"s{n:04}" for n in range(20)]
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert pages[-1] or limit == 20


def test_without_a_limit_it_is_one_page_as_it_always_was() -> None:
    page, following = page_of(records(PAGE + 5).all(), List())

    assert (len(page), following) == (PAGE + 5, "")


def test_nobody_gets_more_than_fits_into_a_reply() -> None:
    assert [len(page) for page in walk(records(PAGE + 5), 10_000)] == [PAGE, 5]
    pages = walk(records(LINED_PAGE + 5), 10_000, lines=True)
    assert [len(page) for page in pages] == [LINED_PAGE, 5]


def test_what_is_forgotten_or_created_meanwhile_confuses_nobody() -> None:
    made = records(6)
    first, after = page_of(made.all(), List(limit=3))
    made.drop(first[-1])
    assert len(made.all()) == 5
    made.add(Record(id="newest", argv=[], cwd="/", size=Size(80, 24), created=2e9))

    rest, after = page_of(made.all(), List(limit=10, after=after))

    assert [record.id for record in rest] == ["s0003", "s0004", "s0005", "newest"]
    assert after == ""


@pytest.mark.parametrize(("after", "limit"), [("x", 1), ("", -1), ("1.5.2 a", 1)])
def test_what_makes_no_sense_is_refused(after: str, limit: int) -> None:
    with pytest.raises(InvalidArgument):
        page_of([], List(after=after, limit=limit))
