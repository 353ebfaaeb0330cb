"""A viewer in a browser that comes late cannot be told from one that watched from the start.

The terminal of browsers is given a picture and then the rest of a recording, and compared with
one that was given all of it. Where the two differ, `differences.py` says why, and nowhere else.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.reader.ghostty import GhosttyScreen
from tests.oracle.cases import CASES
from tests.oracle.differences import DIFFERENCES, Difference, fields_of, table
from tests.support.recordings import Recording, recordings
from tests.support.xterm import Xterm

CUTS = 6  # evenly, and some within sequences; make proof cuts oftener
CUTS_OF_PROOF = 45

ALL = recordings() | CASES


@pytest.fixture(scope="module")
def xterm() -> Iterator[Xterm]:
    with Xterm() as judge:
        yield judge


def seen(xterm: Xterm, recording: Recording) -> dict[str, str]:
    """Return every field in which a picture of the recording was wrong, with one example."""
    model = GhosttyScreen.create(*recording.size)
    pictures = []
    for done, event in enumerate(recording.events, 1):
        if isinstance(event, bytes):
            model.feed(event)
        else:
            model.resize(*event)
        pictures.append((done, model.size, model.snapshot().data))
    model.close()
    found = xterm.compare(recording.size, list(recording.events), pictures)
    return {
        field: f"after event {at}, {when}: {text}"
        for at, result in enumerate(found, 1)
        for when, fields in result.items()
        for field, text in fields.items()
    }


def cut(name: str, count: int) -> Recording:
    return CASES[name] if name in CASES else ALL[name].cut(ALL[name].offsets(count))


def unlisted(found: dict[str, str], listed: set[str]) -> dict[str, str]:
    return {field: text for field, text in found.items() if field not in listed}


def test_there_are_recordings_enough() -> None:
    assert len(recordings()) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_picture_and_the_rest_are_as_good_as_everything(name: str, xterm: Xterm) -> None:
    found = seen(xterm, cut(name, CUTS))

    assert unlisted(found, fields_of(name)) == {}
    assert fields_of(name, rare=False) - found.keys() == set(), "no longer differs: take it out"


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", recordings())
def test_a_picture_is_right_at_many_cuts(name: str, xterm: Xterm) -> None:
    found = seen(xterm, cut(name, CUTS_OF_PROOF))

    assert unlisted(found, fields_of(name)) == {}
    assert fields_of(name) - found.keys() == set(), "no longer differs: take it out"


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda entry: entry.cause[:30])
def test_a_difference_is_about_recordings_that_exist(difference: Difference) -> None:
    assert set(difference.names) <= ALL.keys()


def test_the_page_about_fidelity_tells_the_same() -> None:
    page = Path(__file__).parents[2] / "docs/reference/fidelity.md"

    assert table() in page.read_text()


@pytest.mark.slow
def test_a_wrong_picture_is_found(xterm: Xterm) -> None:
    events = [b"a\x1b[31mb", b"c"]

    (found,) = xterm.compare((20, 5), list(events), [(1, (20, 5), b"a\x1b[32mb")])

    assert found["at"].keys() == {"cells", "pen"}
