"""A program that asks its terminal where the cursor is, again and again, and counts the answers.

It moves the cursor somewhere else before each question, so that an answer says which question
it belongs to: one that comes twice, or to another question, is seen.
"""

import os
import select
import sys
import termios
import time
import tty

PATIENCE = 8.0  # seconds for one answer: a daemon and a reader may have to start


def answer_within(seconds: float) -> bytes:
    """Return what is typed up to an R, or what there was of it."""
    found, deadline = b"", time.monotonic() + seconds
    while not found.endswith(b"R"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([0], [], [], left)[0]:
            return found
        found += os.read(0, 1)
    return found


def main(count: int, pause: float) -> None:
    tty.setraw(0, termios.TCSANOW)
    lost = wrong = 0
    for number in range(count):
        row, col = number // 60 % 20 + 1, number % 60 + 1
        os.write(1, f"\x1b[{row};{col}H\x1b[6n".encode())
        found = answer_within(PATIENCE)
        lost += not found
        wrong += found not in (b"", f"\x1b[{row};{col}R".encode())
        time.sleep(pause)
    more = answer_within(1.0)
    os.write(1, f"\r\nasked {count} lost {lost} wrong {wrong} more {len(more)}\r\n".encode())


main(int(sys.argv[1]), float(sys.argv[2]))
