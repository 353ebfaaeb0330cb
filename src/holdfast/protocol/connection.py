"""One connection without its socket: what both ends have in common.

The grammar of every core here: *feed* what arrived, *act*, *drain* what is to be
written, and ask for the *deadline* at which `expire` must be called. `next_event` is
called until it returns None; it never raises for what a peer did wrong - that ends the
connection and is an event like any other.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, NamedTuple, TypeVar

from holdfast.errors import HoldfastError, LocalProtocolError, TimedOut
from holdfast.protocol import codec
from holdfast.protocol.frames import LIMIT, Buffer, Control, Data, FrameReader, data_frame
from holdfast.protocol.messages import Message
from holdfast.protocol.state import (
    HANDSHAKE_TIMEOUT,
    End,
    State,
    Step,
    advance,
    refusal,
)


class DataReceived(NamedTuple):
    """Bytes of a channel; the view is good until the chunk that was fed changes."""

    channel: int
    offset: int
    payload: memoryview


class ConnectionEnded(NamedTuple):
    """Nothing more will be heard. *error* says why; None after a plain end."""

    error: HoldfastError | None


Heard = TypeVar("Heard")
"""What this end can hear besides data and the end."""


class Connection(ABC, Generic[Heard]):
    """State, frames and deadline of one connection, for either end."""

    end: ClassVar[End]
    peer: ClassVar[End]

    def __init__(self, *, now: float) -> None:
        self.state = State.HANDSHAKE
        self.client_id = ""
        self.skipped = 0
        """Messages of newer peers that this version does not know."""
        self._reader = FrameReader()
        self._outbox: list[Buffer] = []
        self._greeting_deadline = now + HANDSHAKE_TIMEOUT
        self._ended: ConnectionEnded | None = None
        self._deaf = False

    # -- feed

    def feed(self, data: Buffer) -> None:
        """Take what arrived; then call `next_event` until it returns None."""
        if not self._deaf:
            self._reader.feed(data)

    def feed_end(self) -> None:
        """The stream has ended: the peer closed it, or it is gone."""
        self._stop_hearing(None)
        self._close()

    def next_event(self) -> Heard | DataReceived | ConnectionEnded | None:
        """Return what happened next, or None when more bytes are needed."""
        while not self._deaf and not self._waits_for_an_answer():
            try:
                frame = self._reader.next_frame()
                if frame is None:
                    break
                event = self._heard_data(frame) if isinstance(frame, Data) else self._heard(frame)
            except HoldfastError as error:
                self._break_off(error)
                break
            if event is not None:
                return event
        ended, self._ended = self._ended, None
        return ended

    @property
    def is_behind(self) -> bool:
        """Something fed is not used up: `drain`, `next_event` again, and only then `feed`."""
        return not self._deaf and self._reader.is_behind

    # -- act

    def send_data(self, channel: int, offset: int, payload: Buffer) -> None:
        """Queue bytes of a channel; *payload* must not change until it is written."""
        self._say(Step.DATA, "data")
        self._outbox.extend(data_frame(channel, offset, payload))

    # -- drain

    def drain(self) -> list[Buffer]:
        """Return what is to be written now, in order, for one gathered write."""
        outbox, self._outbox = self._outbox, []
        return outbox

    @property
    def should_close(self) -> bool:
        """Once everything drained is written, the stream is to be closed."""
        return self.state is State.CLOSED or (self._deaf and self.state is State.CLOSING)

    # -- deadline

    def deadline(self) -> float | None:
        """Return when `expire` must be called, or None while nothing is timed."""
        waiting = self.state in (State.HANDSHAKE, State.GREETED)
        return self._greeting_deadline if waiting and not self._deaf else None

    def expire(self, now: float) -> None:
        """Give the peer up if its time has run out."""
        deadline = self.deadline()
        if deadline is not None and now >= deadline:
            self._break_off(TimedOut(action="the handshake", seconds=HANDSHAKE_TIMEOUT))

    # -- for the two ends

    @abstractmethod
    def _heard(self, frame: Control) -> Heard | None:
        """Read a control message; None when there is nothing to tell the caller."""

    @abstractmethod
    def _break_off(self, error: HoldfastError) -> None:
        """End the connection because of *error*."""

    def _waits_for_an_answer(self) -> bool:
        return False

    def _heard_data(self, frame: Data) -> DataReceived:
        self._hear(Step.DATA, "data")
        return DataReceived(*frame)

    def _hear(self, step: Step, kind: str) -> None:
        following = advance(self.state, step, self.peer)
        if following is None:
            raise refusal(self.state, step, kind=kind, client_id=self.client_id)
        self._enter(following)

    def _say(self, step: Step, kind: str) -> None:
        following = advance(self.state, step, self.end)
        if following is None:
            raise LocalProtocolError(problem=f"{kind} cannot be said in state {self.state.value}")
        self._enter(following)

    def _enter(self, state: State) -> None:
        self.state = state
        if state is State.OPEN:
            self._reader.limit = LIMIT

    def _send(self, step: Step, number: int, kind: str, message: Message) -> None:
        frame = codec.encode(number, kind, message)
        self._say(step, kind)
        self._outbox.append(frame)

    def _stop_hearing(self, error: HoldfastError | None) -> None:
        """Report the end once, and drop whatever else arrives."""
        if not self._deaf:
            self._deaf = True
            self._ended = ConnectionEnded(error)

    def _close(self) -> None:
        self._enter(advance(self.state, Step.END, self.peer) or State.CLOSED)
