"""Kill the daemon N times while programs print and N times while somebody types; compare all.

    python tools/torture.py [N] [SEED]

Ends with 1 if a byte was lost or doubled. In rounds, each with a home, a keeper and a seed
of its own, so that a round that fails can be had again alone.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests are no package of ours

from tests.support.home import Home, running_home
from tests.support.torture import Tally, torture_input, torture_output

DEFAULT = 1000
ROUND = 250  # kills; a keeper that has seen so many is as old as one gets in a year
Torture = Callable[[Home, int, int, Path], Tally]


def main(arguments: list[str]) -> int:
    kills = int(arguments[0]) if arguments else DEFAULT
    seed = int(arguments[1]) if len(arguments) > 1 else time.time_ns() % 1_000_000
    print(f"torture: {kills} kills for output and for input, seed {seed}", flush=True)
    kinds: dict[str, Torture] = {"output": _output, "input": torture_input}
    tallies = {name: in_rounds(name, torture, kills, seed) for name, torture in kinds.items()}
    for name, tally in tallies.items():
        print(f"{name}: {tally}")
    return 1 if any(tally.lost or tally.doubled for tally in tallies.values()) else 0


def in_rounds(name: str, torture: Torture, kills: int, seed: int) -> Tally:
    """Return what all rounds together found."""
    whole = Tally()
    while whole.kills < kills:
        with tempfile.TemporaryDirectory(prefix="holdfast-torture-") as directory:
            place = Path(directory)
            with running_home(place / "h") as home:
                tally = torture(home, min(ROUND, kills - whole.kills), seed, place)
        print(f"  {name}, seed {seed}: {tally}", flush=True)
        whole += tally
        seed += 1
    return whole


def _output(home: Home, kills: int, seed: int, _directory: Path) -> Tally:
    return torture_output(home, kills, seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
