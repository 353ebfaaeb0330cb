"""A model that is given a picture knows what the one knows that the picture is of.

Stricter than a browser's terminal in what it compares - keyboard flags, margins, what was
saved - and of the same opinion about every sequence: so no difference is allowed at all.
"""

import pytest

from holdfast.reader.ghostty import GhosttyScreen
from tests.oracle.cases import CASES
from tests.support.facts import differences, facts
from tests.support.recordings import Recording, recordings

CUTS = 8
CUTS_OF_PROOF = 60

# What REP would repeat after the cursor was moved, which no program relies upon, and ASCII
# where a charset was never chosen, which looks the same.
APART = {"terminal.previous"}


def wrong(recording: Recording) -> dict[str, str]:
    model = GhosttyScreen.create(*recording.size)
    found: dict[str, str] = {}
    for done, event in enumerate(recording.events, 1):
        if isinstance(event, bytes):
            model.feed(event)
        else:
            model.resize(*event)
        fresh = GhosttyScreen.create(*model.size)
        fresh.feed(model.snapshot().data, answering=True)
        for name, text in differences(facts(model), facts(fresh)).items():
            found[name] = f"after event {done}: {text}"
        if fresh.replies():
            found["replies"] = f"after event {done}: {fresh.replies()}"
        fresh.close()
    model.close()
    return {name: text for name, text in found.items() if name not in APART}


@pytest.mark.parametrize("name", recordings())
def test_a_picture_says_everything(name: str) -> None:
    recording = recordings()[name]

    assert wrong(recording.cut(recording.offsets(CUTS))) == {}


@pytest.mark.parametrize("name", CASES)
def test_a_picture_says_everything_of_a_case(name: str) -> None:
    assert wrong(CASES[name]) == {}


@pytest.mark.proof
@pytest.mark.parametrize("name", recordings())
def test_a_picture_says_everything_at_many_cuts(name: str) -> None:
    recording = recordings()[name]

    assert wrong(recording.cut(recording.offsets(CUTS_OF_PROOF))) == {}


@pytest.mark.parametrize("name", recordings())
def test_a_checkpoint_is_the_same_screen(name: str) -> None:
    recording = recordings()[name]
    model = GhosttyScreen.create(*recording.size)
    half = len(recording.events) // 2
    for event in recording.events[: half + 1]:
        if isinstance(event, bytes):
            model.feed(event)
        else:
            model.resize(*event)

    restored = GhosttyScreen.restore(model.checkpoint())

    assert differences(facts(model), facts(restored)) == {}
    assert restored.snapshot().data == model.snapshot().data
    restored.close()
    model.close()
