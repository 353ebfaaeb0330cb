"""The keeper's event loop: descriptors, frames and deadlines, one thread, no timers when idle."""

import selectors
import sys
import time
from collections.abc import Callable, Iterable

from holdfast.keeper.plain import TYPE_CHECKING, Any
from holdfast.keeper.wire import Body, Channel, Gone

if TYPE_CHECKING:
    from typing import Protocol

    class Part(Protocol):
        """What has something to do at a time of its own."""

        def deadline(self) -> float | None:
            """When `tick` is wanted, None while nothing is timed."""

        def tick(self, now: float) -> None:
            """Go on as far as things have come; called in every turn."""


FrameHandler = Callable[[Body, list[int]], None]
LONGEST_SLEEP = 86400.0  # seconds; epoll refuses more than 24 days
FAULT_PAUSE = 0.05  # seconds; a fault in every turn must not eat a core or fill the disk


class Loop:
    """Call back when something is readable, when a frame arrived, when time is up.

    A callback that raises is reported in the log and the loop goes on: one mistake must
    not end every session of a person's day.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.parts: tuple[Part, ...] = ()
        """In the order in which they go on."""
        self.stopped = False
        self.faults = 0
        self.on_fault: Callable[[], None] = lambda: None

    def watch(self, file: Any, callback: Callable[[], None]) -> None:
        """Call back whenever *file* is readable."""
        self._selector.register(file, selectors.EVENT_READ, lambda _mask: callback())

    def unwatch(self, file: Any) -> None:
        self._selector.unregister(file)

    def watch_channel(
        self, channel: Channel, on_frame: FrameHandler, on_gone: Callable[[str], None]
    ) -> None:
        """Deliver the frames of a channel, and once that it has gone."""

        def turn(mask: int) -> None:
            try:
                if mask & selectors.EVENT_WRITE:
                    channel.flush()
                if mask & selectors.EVENT_READ:
                    for body, fds in channel.receive():
                        self._call(lambda frame: on_frame(*frame), (body, fds))
                self.wrote(channel)
            except Gone as gone:
                self.drop(channel)
                on_gone(str(gone))

        self._selector.register(channel, selectors.EVENT_READ, turn)

    def wrote(self, channel: Channel) -> None:
        """Ask for write events exactly while there is something left to write."""
        key = self._selector.get_map().get(channel) if channel.fileno() >= 0 else None
        if key is None:
            return
        events = selectors.EVENT_READ
        if channel.wants_to_write:
            events |= selectors.EVENT_WRITE
        if key.events != events:
            self._selector.modify(channel, events, key.data)

    def drop(self, channel: Channel) -> None:
        """Forget and close a channel."""
        if channel.fileno() >= 0:
            if self._selector.get_map().get(channel) is not None:
                self._selector.unregister(channel)
            channel.close()

    def run(self) -> None:
        """Run until `stopped`."""
        while not self.stopped:
            due = soonest(part.deadline() for part in self.parts)
            timeout = None if due is None else min(max(0.0, due - time.monotonic()), LONGEST_SLEEP)
            for key, mask in self._selector.select(timeout):
                # By number: what a callback before closed has none, and asking for it raises.
                if self._selector.get_map().get(key.fd) is key:
                    self._call(key.data, mask)
            for part in self.parts:
                if not self.stopped:
                    self._call(part.tick, time.monotonic())

    def _call(self, callback: Callable[[Any], None], argument: Any) -> None:
        try:
            callback(argument)
        except Exception:  # noqa: BLE001 - see the class: report and go on
            self.faults += 1
            try:
                sys.excepthook(*sys.exc_info())  # the module traceback would cost 0.6 MB
                self.on_fault()
            except OSError:
                pass  # the log's disk is full: less said, but nobody ends for it
            time.sleep(FAULT_PAUSE)


def soonest(times: Iterable[float | None]) -> float | None:
    """Return the earliest, None if there is none."""
    return min((at for at in times if at is not None), default=None)
