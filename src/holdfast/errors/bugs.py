"""What cannot happen, and did."""

from holdfast.errors.error import HoldfastError


class Internal(HoldfastError):
    """A bug in Holdfast."""

    code = "INTERNAL"
    status = 500
    what_template = "a bug in Holdfast: {summary}"
    fix_template = "please report it with the end of daemon.log, which is in the state directory"
    summary: str


class InvalidTransition(Internal):
    """A state machine was asked for an impossible step."""

    what_template = "a bug in Holdfast: {summary}: {event} cannot happen in state {state}"
    state: str
    event: str
