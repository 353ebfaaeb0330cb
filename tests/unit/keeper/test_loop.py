"""The keeper's loop: whatever happens in one part of it, the others go on."""

import os
import sys

import pytest

from holdfast.keeper import loop as loops
from holdfast.keeper.loop import Loop


class Part:
    """Notes its ticks, and may fail at each."""

    def __init__(self, loop: Loop, *, fails: bool = False, stops: bool = False) -> None:
        self.loop = loop
        self.fails = fails
        self.stops = stops
        self.ticks = 0

    def deadline(self) -> float | None:
        return 0.0

    def tick(self, now: float) -> None:
        assert now > 0
        self.ticks += 1
        if self.fails:
            raise ValueError("of the test")
        self.loop.stopped = self.stops


def test_a_part_that_fails_does_not_keep_the_others_from_their_turn(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "FAULT_PAUSE", 0)
    loop = Loop()
    broken, last = Part(loop, fails=True), Part(loop, stops=True)
    loop.parts = (broken, last)
    loop.run()
    assert (broken.ticks, last.ticks, loop.faults) == (1, 1, 1)
    assert "ValueError: of the test" in capfd.readouterr().err


def test_after_the_part_that_ends_it_nobody_begins_anything() -> None:
    loop = Loop()
    end, last = Part(loop, stops=True), Part(loop)
    loop.parts = (end, last)
    loop.run()
    assert (end.ticks, last.ticks) == (1, 0)


def test_a_callback_that_fails_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FAULT_PAUSE", 0)
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    loop = Loop()
    reader, writer = os.pipe()
    os.write(writer, b"x")
    loop.parts = (Part(loop, stops=True),)
    loop.watch(reader, lambda: os.close(-1))
    try:
        loop.run()
        assert loop.faults == 1
    finally:
        os.close(reader)
        os.close(writer)
