"""The numbers of queries in the page that outlives a daemon."""

from pathlib import Path

from holdfast.daemon.input_page import ANSWERS, Page


def test_what_is_settled_outlives_who_wrote_it(tmp_path: Path) -> None:
    page = Page(tmp_path / "p")
    before = page.settled
    page.set_done(ANSWERS, 0)
    begun = page.settled
    page.set_done(ANSWERS, 7)
    page.settle(12)
    page.settle(9)
    page.has_terminal = True
    page.close()

    assert (before, begun) == (None, 0)
    again = Page(tmp_path / "p")
    assert (again.done(ANSWERS), again.settled, again.has_terminal) == (7, 12, True)
    again.close()


def test_clients_have_their_own_numbers(tmp_path: Path) -> None:
    page = Page(tmp_path / "p")
    page.set_done(ANSWERS, 1 << 40)
    slot = page.slot_of("me", 5, busy=())
    assert slot is not None
    page.set_done(slot, 9)

    assert (page.done(slot), page.done(ANSWERS), page.pending, page.unit) == (
        9,
        1 << 40,
        None,
        None,
    )
    page.close()
