"""Every error code can be had from a real daemon, says what was wrong, and what to do."""

import re
from collections.abc import Iterator

import pytest

import reference
from holdfast.errors import BY_CODE
from tests.support.every_code import WAYS
from tests.support.failing import Scene
from tests.support.home import running_home

TOKEN = "s3cret"
NOT_YET = {
    "INTERNAL": "says that there is a bug: whatever leads to it on purpose has to be mended",
}
"""Codes that nothing produces, and why."""


def listed() -> list[str]:
    """The codes that the reference lists, in its order."""
    page = reference.pages()["errors.md"]
    return list(dict.fromkeys(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    place = tmp_path_factory.mktemp("codes")
    with running_home(place / "h") as home:
        home.paths.state.mkdir(mode=0o700, parents=True)
        home.paths.token.touch(mode=0o600)
        home.paths.token.write_text(TOKEN)
        with home.client() as client:
            yield Scene(home, client, place, TOKEN)


def test_every_code_of_the_reference_has_a_way_to_produce_it_or_a_reason_why_not() -> None:
    assert sorted([*WAYS, *NOT_YET]) == sorted(listed())


@pytest.mark.slow
@pytest.mark.parametrize("code", WAYS)
def test_a_code_can_be_had_with_the_value_at_fault_and_a_remedy(scene: Scene, code: str) -> None:
    error, value = WAYS[code](scene)

    assert (error.code, type(error)) == (code, BY_CODE[code])
    assert value in error.what
    assert error.fix, "nobody is told what to do"
    assert "{" not in str(error)


@pytest.mark.slow
def test_the_codes_that_were_produced_are_those_that_the_reference_lists(scene: Scene) -> None:
    produced = {way(scene).error.code for way in WAYS.values()}

    assert produced == set(listed()) - NOT_YET.keys()
    log = (scene.home.paths.state / "daemon.log").read_text()
    assert "request failed" not in log, "a way has found a bug"
