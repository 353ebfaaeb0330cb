"""The sessions a page shows, as they come, end and go."""

from holdfast.host.listing import ENDED, Listing
from holdfast.protocol.messages import SessionInfo


def session(id_: str, state: str = "running") -> SessionInfo:
    return SessionInfo(
        id=id_,
        name="",
        key="",
        state=state,
        recovery=None,
        pid=1,
        argv=["sh"],
        cwd="/",
        cols=80,
        rows=24,
        offset=0,
        created=1.0,
    )


def shown(listing: Listing, count: int) -> set[str]:
    return {id_ for id_ in (f"s{number:04}" for number in range(count)) if id_ in listing}


def test_of_sessions_that_are_over_the_newest_are_shown_also_to_a_page_that_stays() -> None:
    """A page that is open for weeks was told of each, and of the end of none."""
    listing = Listing()
    gone: list[str] = []
    for number in range(ENDED + 3):
        id_ = f"s{number:04}"
        listing.update(session(id_))
        changes = listing.update(session(id_, "exited"))
        gone += [change.key for change in changes if change.event == "gone"]

    assert gone == ["s0000", "s0001", "s0002"]
    assert len(shown(listing, ENDED + 3)) == ENDED


def test_what_lives_and_what_was_asked_for_stays_however_much_ends() -> None:
    listing = Listing("s0001")
    listing.update(session("s0000"))
    for number in range(1, ENDED + 9):
        listing.update(session(f"s{number:04}", "exited"))

    assert {"s0000", "s0001"} <= shown(listing, 2)
