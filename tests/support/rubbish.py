"""Feeds a screen with rubbish, in a process of its own, as whoever may crash should.

`python -m tests.support.rubbish SEED BYTES` ends with 0 and one line: how much was fed, and how
much memory that took.
"""

import random
import resource
import sys

from holdfast.reader.ghostty import GhosttyScreen
from tests.support.facts import differences, facts
from tests.support.recordings import recordings

LIMIT_KIB = 1024 * 1024  # of the process: a screen with all it may keep takes a tenth of it
PIECE = 16 * 1024


def pieces(dice: random.Random) -> bytes:
    """Return random bytes, random sequences, or a recording with a few bytes changed."""
    kind = dice.randrange(3)
    if kind == 0:
        return dice.randbytes(PIECE)
    if kind == 1:
        parts = [
            b"\x1b[",
            b"\x1b]",
            b"\x1bP",
            b"\x1b",
            b"\r\n",
            b"abc",
            b"?",
            b";",
            "漢🙂e\u0301".encode(),
        ]
        finals = b"ABCDEFGHIJKLMPSTXZ@`abcdefghilmnpqrstuvwxyz{|}~"
        out = bytearray()
        while len(out) < PIECE:
            out += dice.choice(parts)
            out += str(dice.choice([0, 1, 2, 7, 1049, 2026, 69, 6, 9999999])).encode()
            out.append(dice.choice(finals))
        return bytes(out)
    recording = dice.choice(list(recordings().values()))
    data = bytearray(b"".join(event for event in recording.events if isinstance(event, bytes)))
    for _ in range(max(len(data) // 50, 1)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data[:PIECE])


def main(seed: int, total: int) -> int:
    dice = random.Random(seed)
    screen = GhosttyScreen.create(80, 24)
    twin = GhosttyScreen.create(80, 24)
    fed = 0
    while fed < total:
        data = pieces(dice)
        fed += len(data)
        screen.feed(data, answering=dice.random() < 0.3)
        twin.feed(data)
        if dice.random() < 0.2:
            size = (dice.choice([1, 2, 3, 80, 1000]), dice.choice([1, 2, 24, 1000]))
            if dice.random() < 0.5:
                size = (dice.randint(1, 200), dice.randint(1, 60))
            screen.resize(*size)
            twin.resize(*size)
        if dice.random() < 0.2:
            look(screen, dice)
    found = differences(facts(twin), facts(screen))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{fed} bytes, {peak // 1024} MiB at most, {len(found)} differences {found}")
    return int(bool(found) or peak > LIMIT_KIB)


def look(screen: GhosttyScreen, dice: random.Random) -> None:
    """Have a picture taken, which a fresh screen must be able to take in and answer nothing to."""
    picture = screen.snapshot(dice.choice([0, 10, None]))
    fresh = GhosttyScreen.create(picture.cols, picture.rows)
    fresh.feed(picture.data)
    fresh.text()
    fresh.close()
    screen.text(dice.choice([0, 5, None]))
    if dice.random() < 0.1:
        screen.compress()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
