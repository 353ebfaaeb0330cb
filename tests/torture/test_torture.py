"""P1: a daemon that is killed at any moment loses no byte and repeats none, both ways."""

from pathlib import Path

import pytest

from tests.support.home import running_home
from tests.support.torture import torture_input, torture_output
from torture import in_rounds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_no_output_is_lost_or_doubled(tmp_path: Path) -> None:
    """T14: SIGKILL of the daemon at random moments, also while it starts."""
    with running_home(tmp_path / "h") as home:
        tally = torture_output(home, kills=100, seed=1)

    print(f"output: {tally}")
    assert (tally.kills, tally.lost, tally.doubled) == (100, 0, 0)
    assert tally.bytes > 1 << 20


def test_no_input_is_lost_or_doubled(tmp_path: Path) -> None:
    """T33: a request that was cut off and sent again happens once."""
    with running_home(tmp_path / "h") as home:
        tally = torture_input(home, kills=100, seed=2, directory=tmp_path)

    print(f"input: {tally}")
    assert (tally.kills, tally.lost, tally.doubled) == (100, 0, 0)
    assert tally.bytes > 1000


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_two_thousand_kills_lose_and_double_no_input() -> None:
    tally = in_rounds("input", torture_input, kills=2000, seed=1000)

    print(f"input: {tally}")
    assert (tally.kills, tally.lost, tally.doubled) == (2000, 0, 0)
    assert tally.bytes > 20_000


def test_the_same_torture_finds_the_losses_of_a_pump_that_copies(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", {"HOLDFAST_SESSION_PUMP": "copy"}) as home:
        tally = torture_output(home, kills=60, seed=3)

    print(f"copy pump: {tally}")
    assert tally.lost > 0
