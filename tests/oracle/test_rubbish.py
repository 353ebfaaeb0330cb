"""Whatever a program prints, and whatever size it is given, the next picture is right."""

import subprocess
import sys

import pytest


def feed(seed: int, total: int) -> str:
    """Feed rubbish in a process of its own; return what it says, or why it is dead."""
    command = [sys.executable, "-m", "tests.support.rubbish", str(seed), str(total)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stdout}{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_rubbish_neither_kills_nor_confuses(seed: int) -> None:
    """T9: invalid UTF-8, NULs, sequences without end; 1x1 to 1000x1000."""
    print(feed(seed, 400_000))


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 14))
def test_much_rubbish_neither_kills_nor_confuses(seed: int) -> None:
    print(feed(seed, 9_000_000))
