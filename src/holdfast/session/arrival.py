"""How a viewer begins: it goes on exactly where it stopped, or is shown a picture first.

A viewer that holds nothing gets a picture; one that is whole is never reset.
"""

from typing import NamedTuple

from holdfast.session.cursor import Policy
from holdfast.session.resume import Resume

NOTHING_HELD = ""


class Arrival(NamedTuple):
    """What a viewer is answered."""

    exact: bool
    reason: str = ""
    leaves_gap: bool = False
    """What it holds is right, but what follows is left out before the picture."""


def arrive(resume: Resume | None, policy: Policy) -> Arrival:
    """Return how a viewer begins; *resume* is None when it holds nothing."""
    if resume is None:
        return Arrival(exact=False, reason=NOTHING_HELD)
    if resume is Resume.EXACT:
        return Arrival(exact=True)
    if resume is Resume.NOT_KEPT:
        # Who wants every byte gets those that are left behind an explicit gap.
        lossless = policy is Policy.LOSSLESS
        return Arrival(exact=lossless, reason=resume.value, leaves_gap=not lossless)
    return Arrival(exact=False, reason=resume.value)
