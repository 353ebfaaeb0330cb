"""How a viewer begins."""

import pytest

from holdfast.session.arrival import Arrival, arrive
from holdfast.session.cursor import Policy
from holdfast.session.resume import Resume

LOSSLESS, LATEST = Policy.LOSSLESS, Policy.LATEST

TABLE: list[tuple[Resume | None, Policy, Arrival]] = [
    (None, LATEST, Arrival(exact=False)),
    (None, LOSSLESS, Arrival(exact=False)),
    # T8: who is whole is never reset
    (Resume.EXACT, LATEST, Arrival(exact=True)),
    (Resume.EXACT, LOSSLESS, Arrival(exact=True)),
    # T7: what is gone is a gap; then every byte that is left, or the present
    (
        Resume.NOT_KEPT,
        LATEST,
        Arrival(exact=False, reason="what follows is no longer kept", leaves_gap=True),
    ),
    (Resume.NOT_KEPT, LOSSLESS, Arrival(exact=True, reason="what follows is no longer kept")),
    # what is held is another story, so it is replaced, and no gap connects the two
    *(
        (found, policy, Arrival(exact=False, reason=reason))
        for found, reason in [
            (Resume.OTHER_EPOCH, "the log has begun a new epoch since"),
            (Resume.BEYOND_END, "the log does not reach so far"),
            (Resume.DIFFERENT, "the log holds other bytes"),
            (Resume.MALFORMED, "that is no tail"),
        ]
        for policy in (LATEST, LOSSLESS)
    ),
]


@pytest.mark.parametrize(("found", "policy", "wanted"), TABLE)
def test_how_a_viewer_begins(found: Resume | None, policy: Policy, wanted: Arrival) -> None:
    assert arrive(found, policy) == wanted


def test_the_table_is_whole() -> None:
    assert {row[:2] for row in TABLE} == {
        (found, policy) for found in (None, *Resume) for policy in Policy
    }
