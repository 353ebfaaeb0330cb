"""The life of one connection, as a table. Both ends keep it, and keep it alike.

A connection begins in silence. The client says hello once, the daemon answers with
welcome or with a fatal error, within 5 s. Then the client asks, the daemon replies and
tells; both move data. Goodbye is the client's way to leave (its claims are released at
once); a fatal error is the daemon's way to end. After either, what is still owed is
delivered, and the end of the stream closes the connection.

Nothing here knows bytes or messages: callers report steps and obey the answer. A step
that is absent from a row is illegal in that state. There is no heartbeat: on a Unix
socket the kernel reports a dead peer, and a stopped one (Ctrl-Z) must not be dropped.
"""

import enum

from holdfast.errors import (
    AlreadyAuthenticated,
    HoldfastError,
    NotAuthenticated,
    RemoteProtocolError,
)

HANDSHAKE_TIMEOUT = 5.0  # seconds; a peer on the same machine needs milliseconds


class End(enum.Enum):
    """Which side of the connection this is."""

    CLIENT = "client"
    DAEMON = "daemon"


class State(enum.Enum):
    """Where a connection is in its life."""

    # By identity, as its equality: that of enum is written in Python, for three look-ups a frame.
    __hash__ = object.__hash__

    HANDSHAKE = "handshake"  # nothing was said yet
    GREETED = "greeted"  # hello was said, the answer is owed
    OPEN = "open"
    CLOSING = "closing"  # goodbye or a fatal error was said; only what is owed still comes
    CLOSED = "closed"  # terminal


class Step(enum.Enum):
    """Something that happened on the connection; the same step for who says and who hears."""

    __hash__ = object.__hash__  # for the same reason

    HELLO = "hello"
    WELCOME = "welcome"
    REQUEST = "request"  # wants a reply
    NOTICE = "notice"  # wants none
    REPLY = "reply"
    EVENT = "event"
    DATA = "data"
    GOODBYE = "goodbye"
    FATAL = "fatal error"
    END = "end of stream"


SPEAKERS: dict[Step, frozenset[End]] = {
    Step.HELLO: frozenset({End.CLIENT}),
    Step.WELCOME: frozenset({End.DAEMON}),
    Step.REQUEST: frozenset({End.CLIENT}),
    Step.NOTICE: frozenset({End.CLIENT}),
    Step.REPLY: frozenset({End.DAEMON}),
    Step.EVENT: frozenset({End.DAEMON}),
    Step.DATA: frozenset({End.CLIENT, End.DAEMON}),
    Step.GOODBYE: frozenset({End.CLIENT}),
    Step.FATAL: frozenset({End.DAEMON}),
    Step.END: frozenset({End.CLIENT, End.DAEMON}),
}

TRANSITIONS: dict[State, dict[Step, State]] = {
    State.HANDSHAKE: {
        Step.HELLO: State.GREETED,
        Step.FATAL: State.CLOSING,
        Step.END: State.CLOSED,
    },
    State.GREETED: {
        Step.WELCOME: State.OPEN,
        Step.FATAL: State.CLOSING,
        Step.END: State.CLOSED,
    },
    State.OPEN: {
        Step.REQUEST: State.OPEN,
        Step.NOTICE: State.OPEN,
        Step.REPLY: State.OPEN,
        Step.EVENT: State.OPEN,
        Step.DATA: State.OPEN,
        Step.GOODBYE: State.CLOSING,
        Step.FATAL: State.CLOSING,
        Step.END: State.CLOSED,
    },
    State.CLOSING: {
        Step.REPLY: State.CLOSING,
        Step.EVENT: State.CLOSING,
        Step.DATA: State.CLOSING,
        Step.FATAL: State.CLOSING,
        Step.END: State.CLOSED,
    },
    State.CLOSED: {},
}


def advance(state: State, step: Step, speaker: End) -> State | None:
    """Return the state that follows, or None if *speaker* may not take this step here."""
    if speaker not in SPEAKERS[step]:
        return None
    return TRANSITIONS[state].get(step)


def refusal(state: State, step: Step, *, kind: str, client_id: str) -> HoldfastError:
    """Return the error that names why a peer's step is illegal in this state."""
    if state in (State.HANDSHAKE, State.GREETED) and step in (Step.REQUEST, Step.NOTICE):
        return NotAuthenticated(kind=kind)
    if state is State.OPEN and step is Step.HELLO:
        return AlreadyAuthenticated(client_id=client_id)
    return RemoteProtocolError(problem=f"{step.value} ({kind}) in state {state.value}")
