"""A mirrored session, whatever its client does and in whatever order: a model and a real daemon."""

import itertools
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from holdfast.errors import InvalidArgument
from holdfast.protocol.messages import Commands, Du, Get, Output
from tests.support.home import Home, running_home
from tests.support.mirroring import Mirrorer

PRINTED = bytes(number * 7919 % 251 for number in range(400_000))
PIECES = st.sampled_from([0, 1, 17, 5_000, 40_000])
NUMBERS = itertools.count()


class Mirrored(RuleBasedStateMachine):
    """Every run has a session of its own on one daemon."""

    home: ClassVar[Home]

    def __init__(self) -> None:
        super().__init__()
        self.session = f"machine{next(NUMBERS)}"
        self.mine = Mirrorer(self.home, self.session)
        self.end = 0
        self.holes: list[tuple[int, int]] = []
        self.is_over = False
        self.commands: dict[str, str] = {}

    def teardown(self) -> None:
        self.mine.client.close()

    def clear_of_holes(self, start: int) -> int:
        """Return the first offset from *start* on behind which no hole begins."""
        return max([start, *(stop for _, stop in self.holes if start < stop)])

    @precondition(lambda self: not self.is_over)
    @rule(back=PIECES, count=PIECES)
    def append(self, back: int, count: int) -> None:
        start = self.clear_of_holes(max(0, self.end - back))
        stop = min(start + count, len(PRINTED))
        self.end = max(self.end, stop)
        assert self.mine.append(start, PRINTED[start:stop]) == self.end

    @precondition(lambda self: not self.is_over)
    @rule(back=PIECES)
    def append_other_bytes(self, back: int) -> None:
        start = self.clear_of_holes(max(0, self.end - back))
        if start < self.end:
            with pytest.raises(InvalidArgument, match="other bytes"):
                self.mine.append(start, bytes(each ^ 255 for each in PRINTED[start : self.end]))

    @precondition(lambda self: not self.is_over)
    @rule(count=st.integers(1, 9000))
    def append_beyond(self, count: int) -> None:
        with pytest.raises(InvalidArgument, match="beyond the end"):
            self.mine.append(self.end + count, b"x")

    @precondition(lambda self: not self.is_over)
    @rule(back=PIECES, count=PIECES)
    def skip(self, back: int, count: int) -> None:
        stop = min(self.end + count, len(PRINTED))
        if stop > self.end:
            self.holes.append((self.end, stop))
        assert self.mine.skip(max(0, self.end - back), stop) == stop
        self.end = stop

    @precondition(lambda self: not self.is_over)
    @rule(code=st.integers(0, 255))
    def finish(self, code: int) -> None:
        ended = self.mine.end(self.end, code)
        assert (ended.state, ended.exit_code) == ("exited", code)
        self.is_over = True

    @rule()
    def register_again(self) -> None:
        self.mine.register()
        self.knows_it()

    @rule()
    def come_back_on_another_connection(self) -> None:
        before, self.mine = self.mine, Mirrorer(self.home, self.session)
        before.client.close()
        self.knows_it()

    @rule()
    def kill_the_daemon(self) -> None:
        self.home.next_daemon(self.home.kill_daemon())
        self.come_back_on_another_connection()

    @rule(number=st.integers(1, 4), line=st.sampled_from(["make", "ls"]))
    def record(self, number: int, line: str) -> None:
        self.mine.record(str(number), line, started=float(number))
        self.commands[str(number)] = line

    def knows_it(self) -> None:
        assert (self.mine.registered.outcome, self.mine.registered.end) == (
            "re-registered",
            self.end,
        )
        self.is_over = False

    @invariant()
    def what_is_known_agrees(self) -> None:
        info = self.mine.client.call(Get(session=self.session))
        assert (info.offset, info.state) == (self.end, "exited" if self.is_over else "running")
        listed = self.mine.client.call(Commands(session=self.session)).records
        assert {each.id: each.line for each in listed} == self.commands

    @invariant()
    def the_log_is_what_was_sent(self) -> None:
        (use,) = [u for u in self.mine.client.call(Du()).sessions if u.session == self.session]
        joined: list[tuple[int, int]] = []
        for start, stop in self.holes:
            if joined and joined[-1][1] == start:
                start = joined.pop()[0]  # noqa: PLW2901
            joined.append((start, stop))
        assert use.missing == [(start, stop, "overflowed") for start, stop in joined]
        at = 0
        for start, stop in [*joined, (self.end, self.end)]:
            while at < start:
                asked = Output(session=self.session, since=at, until=start)
                data = self.mine.client.call(asked).data
                assert data
                assert data == PRINTED[at : at + len(data)]
                at += len(data)
            at = stop


@pytest.mark.slow
def test_whatever_a_client_does_the_log_is_what_it_sent() -> None:
    with (
        tempfile.TemporaryDirectory() as place,
        running_home(Path(place) / "h") as home,
    ):
        Mirrored.home = home
        run_state_machine_as_test(
            Mirrored,
            settings=settings(
                max_examples=12,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
