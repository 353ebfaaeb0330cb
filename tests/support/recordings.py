"""What real programs printed, as `tools/record_screens.py` keeps it: output and new sizes."""

import gzip
import itertools
import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RECORDINGS = Path(__file__).parents[1] / "recordings"

Event = bytes | tuple[int, int]


@dataclass(frozen=True)
class Recording:
    """Output in pieces, and between them the sizes which the terminal was given."""

    name: str
    size: tuple[int, int]
    events: tuple[Event, ...]

    @property
    def length(self) -> int:
        return sum(len(event) for event in self.events if isinstance(event, bytes))

    def cut(self, offsets: list[int]) -> "Recording":
        """Return the same with its output in pieces which end at these offsets."""
        events: list[Event] = []
        at = 0
        for event in self.events:
            if isinstance(event, bytes):
                inner = [offset - at for offset in offsets if at < offset < at + len(event)]
                edges = [0, *inner, len(event)]
                events += [event[a:b] for a, b in itertools.pairwise(edges)]
                at += len(event)
            else:
                events.append(event)
        return Recording(self.name, self.size, tuple(events))

    def offsets(self, count: int) -> list[int]:
        """Return where to cut: evenly, and some within a sequence or a character."""
        dice = random.Random(self.name)
        data = b"".join(event for event in self.events if isinstance(event, bytes))
        chosen = {len(data) * part // (count + 1) for part in range(1, count + 1)}
        begun = [at + 1 for at, byte in enumerate(data[:-1]) if byte == 0x1B or byte >= 0xC2]
        chosen |= set(dice.sample(begun, min(len(begun), max(count // 3, 1))))
        return [*sorted(chosen - {0, len(data)}), len(data)]


@cache
def recordings() -> dict[str, Recording]:
    return {path.stem: _read(path) for path in sorted(RECORDINGS.glob("*.gz"))}


def _read(path: Path) -> Recording:
    head, _, data = gzip.decompress(path.read_bytes()).partition(b"\n")
    said = json.loads(head)
    events: list[Event] = []
    at = 0
    for step in said["steps"]:
        if isinstance(step, int):
            events.append(data[at : at + step])
            at += step
        else:
            events.append((step[0], step[1]))
    return Recording(path.stem, (said["size"][0], said["size"][1]), tuple(events))
