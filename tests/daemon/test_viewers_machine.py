"""Whatever viewers, programs and housekeeping do: bytes and gaps are the log, in order, once.

The files are real; the loop and the connections are in the test's hands, so that any of them
can stop between any two steps.
"""

import random
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from holdfast.daemon.deliveries import Deliveries
from holdfast.daemon.viewer import Viewer
from holdfast.daemon.viewers import Viewers
from holdfast.daemon.viewing import _resume, missing_from
from holdfast.metrics.counters import Counters
from holdfast.protocol.messages import Attach
from holdfast.session.arrival import arrive
from holdfast.session.cursor import WINDOW, Cursor, Policy
from holdfast.session.held import BLOCK
from holdfast.session.resume import Resume
from holdfast.session.tail import TAIL_SIZE
from holdfast.store import LogReader, LogWriter, TimelineWriter
from holdfast.store.clear import clear
from holdfast.store.forget import forget
from holdfast.store.retention import drop
from tests.support.gone import Gone
from tests.support.hand_loop import HandLoop
from tests.support.memory import bytes_in
from tests.support.onlooker import ENDLESS, Onlooker

SEGMENT = 300_000
ONLOOKERS = 6
ROUNDS = 20_000  # of taking and acknowledging, until everybody has everything
EXITED = "exited"
FLOOD = 9 << 20  # more than `latest` has the patience for

Who = st.integers(0, ONLOOKERS - 1)
Windows = st.sampled_from([20_000, 64 << 10, 256 << 10, WINDOW])
Sizes = st.one_of(st.integers(1, 3000), st.integers(1, 1 << 20))
Shares = st.just(1.0) | st.floats(0, 1)


class Looking(RuleBasedStateMachine):
    """One session's log, its viewers, and everything that happens to them."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory(prefix="holdfast-viewers-")
        self.directory = Path(self.place.name)
        self.loop = HandLoop()
        self.deliveries = Deliveries(self.loop.as_loop)
        self.log = bytearray()
        self.writer = LogWriter(self.directory, segment_size=SEGMENT)
        self.reader = LogReader(self.directory)
        self.timeline = TimelineWriter(self.directory, self.reader)
        self.gone = Gone(self.reader)
        self.finish = ""
        self.viewers: Viewers | None = None
        self.onlookers: list[Onlooker] = []
        self.look_ups: list[tuple[Viewers, Viewer, int]] = []
        self.is_paused = False

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # or what failed would not be seen
                self.everybody_ends_at_the_end()
                self.everybody_goes()
        finally:
            for file in (self.timeline, self.reader, self.writer):
                file.close()
            if self.viewers is not None:
                self.viewers.close()
            self.place.cleanup()

    # -- who looks

    @property
    def attached(self) -> list[Onlooker]:
        return [one for one in self.onlookers if one.viewer is not None]

    @property
    def viewers_now(self) -> Viewers:
        if self.viewers is None:
            self.viewers = Viewers(
                self.loop.as_loop,
                self.deliveries,
                self.directory,
                self.writer.end,
                finish=self.finish,
                newest=self.newest,
                counters=Counters(),
                look_up=lambda *asked: self.look_ups.append(asked),
                emptied=self.emptied,
                pause=self.pause,
            )
        return self.viewers

    def newest(self, offset: int) -> bytes | None:
        assert not self.finish, "whoever writes has let go of the log"
        return self.writer.tail(offset)

    def emptied(self, viewers: Viewers) -> None:
        viewers.close()
        if self.viewers is viewers:
            self.viewers = None

    def pause(self, wanted: bool) -> None:
        assert wanted is not self.is_paused
        self.is_paused = wanted

    def viewer_of(self, one: Onlooker) -> Viewer:
        assert one.viewer is not None
        return one.viewer

    def chosen(self, who: int, *, away: bool = False) -> Onlooker | None:
        found = [one for one in self.onlookers if (one.viewer is None) is away]
        return found[who % len(found)] if found else None

    def left(self, one: Onlooker) -> None:
        self.viewers_now.remove(self.viewer_of(one))
        one.viewer = None

    def attach(self, one: Onlooker, asked: Attach, *, pauses: bool = False) -> Resume | None:
        with LogReader(self.directory) as reader:
            resumed = _resume(asked, reader, lambda: self.timeline.epoch)
        viewers, offset = self.viewers_now, asked.since or 0
        if not arrive(resumed, one.policy).exact:
            offset = viewers.end
            picture = viewers.tail().data
            assert len(picture) <= TAIL_SIZE
            one.saw(picture, offset)
        cursor = Cursor(offset, policy=one.policy, window=one.window)
        viewer = viewers.add(one.number, one, cursor, (lambda: True) if pauses else None)
        one.begin(viewer, self.timeline.epoch, offset)
        viewers.wake(viewer)
        return resumed

    @initialize(policies=st.lists(st.sampled_from(Policy), min_size=2, max_size=3), size=Sizes)
    def some_look_already(self, policies: list[Policy], size: int) -> None:
        self.printed(random.Random(size).randbytes(size))
        for policy in policies:
            self.somebody_comes(policy, 64 << 10, 0.0, pauses=False)

    @precondition(lambda self: len(self.onlookers) < ONLOOKERS)
    @rule(
        policy=st.sampled_from(Policy),
        window=Windows,
        since=st.none() | st.floats(0, 1),
        pauses=st.booleans(),
    )
    def somebody_comes(
        self, policy: Policy, window: int, since: float | None, pauses: bool
    ) -> None:
        number = len(self.onlookers) + 1
        one = Onlooker(self.log, number, policy, window, is_gone=self.gone.has, left=self.left)
        self.onlookers.append(one)
        offset = None if since is None else int(since * len(self.log))
        self.attach(one, Attach(session="s", since=offset), pauses=pauses)

    @rule(who=Who)
    def somebody_comes_back(self, who: int) -> None:
        if one := self.chosen(who, away=True):
            epoch, since, length, crc = one.held.tail()
            is_kept = since == len(self.log) or any(
                start <= since < end for start, end in self.reader.ranges()
            )
            asked = Attach(session="s", since=since, epoch=epoch, length=length, crc=crc)
            resumed = self.attach(one, asked)
            assert resumed is (Resume.EXACT if is_kept else Resume.NOT_KEPT)

    @rule(who=Who, is_polite=st.booleans())
    def somebody_goes(self, who: int, is_polite: bool) -> None:
        if one := self.chosen(who):
            stopped = self.viewers_now.remove(self.viewer_of(one))
            if is_polite:
                one.take(len(one.inbox))
                assert stopped == one.held.offset
            one.cut()

    # -- what clients and connections do

    @rule(who=Who, count=st.integers(1, 9), says_so=st.booleans())
    def somebody_takes(self, who: int, count: int, says_so: bool) -> None:
        if one := self.chosen(who):
            one.take(count)
            if says_so:
                self.ack(one, one.held.offset)

    @rule(who=Who, back=st.integers(-(1 << 40), 1 << 20))
    def somebody_acknowledges(self, who: int, back: int) -> None:
        """What it had before, or never can have."""
        if one := self.chosen(who):
            self.ack(one, one.held.offset - back)

    def ack(self, one: Onlooker, offset: int) -> None:
        viewer = self.viewer_of(one)
        one.acked(offset)
        viewer.ack(offset, self.loop.time())
        self.viewers_now.wake(viewer)

    @rule(who=Who, capacity=st.sampled_from([1, 100_000, ENDLESS]))
    def a_connection_is_full(self, who: int, capacity: int) -> None:
        if one := self.chosen(who):
            one.capacity = capacity
            one.fill()

    @rule(who=Who)
    def a_connection_has_room(self, who: int) -> None:
        if one := self.chosen(who):
            self.drain(one)

    def drain(self, one: Onlooker) -> None:
        one.drain()
        self.viewers_now.cleared(self.viewer_of(one))

    # -- what the session does

    @precondition(lambda self: not self.finish and not self.is_paused)
    @rule(
        size=Sizes | st.just(FLOOD), seed=st.integers(0, 99), pace=st.sampled_from([0, 0.01, 0.3])
    )
    def it_prints(self, size: int, seed: int, pace: float) -> None:
        data = random.Random(seed).randbytes(size)
        slice_ = 7000 if seed % 2 and size < FLOOD else 1 << 20
        for at in range(0, size, slice_):
            self.printed(data[at : at + slice_])
            if pace:
                self.loop.advance(pace)

    def printed(self, data: bytes) -> None:
        self.log += data
        while data:
            data = data[self.writer.write(data) :]
        if self.viewers is not None:
            self.viewers.grew(self.writer.end)

    @precondition(lambda self: not self.finish)
    @rule(is_last=st.integers(0, 5))
    def it_ends(self, is_last: int) -> None:
        if not is_last:  # seldom, or little else would happen
            self.finish = EXITED
            if self.viewers is not None:
                self.viewers.finished(self.writer.end, EXITED)

    @rule()
    def the_daemon_dies(self) -> None:
        viewers, self.viewers = self.viewers, None
        if viewers is not None:
            viewers.close()
        for one in self.attached:
            one.cut()
        self.look_ups.clear()
        self.writer.close()
        self.writer = LogWriter(self.directory, segment_size=SEGMENT)
        self.loop, self.is_paused = HandLoop(), False
        self.deliveries = Deliveries(self.loop.as_loop)

    # -- what housekeeping does

    @rule(share=Shares)
    def the_oldest_is_pruned(self, share: float) -> None:
        with self.gone.taking("pruned"):
            drop(self.directory, self.timeline, int(share * len(self.log)))

    @rule(share=st.none() | Shares)
    def it_is_sealed_and_cleared(self, share: float | None) -> None:
        self.writer.seal()
        if share is None:
            return
        with self.gone.taking("cleared"):
            clear(self.directory, self.timeline, int(share * len(self.log)))

    @rule(begin=st.floats(0, 1), share=Shares)
    def some_is_forgotten(self, begin: float, share: float) -> None:
        self.writer.seal()
        start = int(begin * len(self.log))
        end = start + int(share * (len(self.log) - start))
        with self.gone.taking("forgotten"):
            forget(self.directory, self.timeline, start, end)

    # -- time, and what is done in threads

    @rule()
    def a_turn(self) -> None:
        self.loop.turn()

    @rule(seconds=st.sampled_from([0.001, 0.003, 0.1, 0.3, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.loop.advance(seconds)

    @rule()
    def what_is_not_kept_is_looked_up(self) -> None:
        asked, self.look_ups = self.look_ups, []
        for viewers, viewer, upto in asked:
            gaps = missing_from(viewers.directory, viewer.cursor.position, upto)
            viewers.missed(viewer, gaps)

    # -- what must always be true

    @invariant()
    def nobody_is_sent_more_than_its_window(self) -> None:
        for one in self.attached:
            assert one.in_flight == self.viewer_of(one).cursor.in_flight <= one.window

    @invariant()
    def nobodys_bytes_are_kept(self) -> None:
        """T1: a viewer that has stopped costs no memory, however far it is behind."""
        held = bytes_in(self.viewers, [self, self.loop, *self.onlookers])
        assert held <= BLOCK
        assert not (held and self.loop.is_idle)

    @rule()
    def everybody_ends_at_the_end(self) -> None:
        """Once all have room and acknowledge, nobody lacks anything, nobody waits."""
        for _ in range(ROUNDS):
            for one in self.attached:
                if not one.has_room:
                    self.drain(one)
            self.loop.advance(0.01)
            self.what_is_not_kept_is_looked_up()
            waiting = [one for one in self.attached if one.inbox or one.in_flight]
            if not waiting and not self.look_ups and self.loop.is_idle:
                break
            for one in waiting:
                one.take(len(one.inbox))
                self.ack(one, one.held.offset)
        for one in self.attached:
            assert (one.held.offset, one.level, self.finish) == (len(self.log), "live", "")
        for one in self.onlookers:
            one.take(len(one.inbox))
            if one.finished:
                assert one.finished.offset == len(self.log)
        assert not self.is_paused

    @rule()
    def everybody_goes(self) -> None:
        for one in self.attached:
            self.viewers_now.remove(self.viewer_of(one))
            one.cut()
        assert self.viewers is None, "the last one leaves nothing"
        assert not self.is_paused


TestLooking = Looking.TestCase
TestLooking.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink floods takes minutes
)
