"""What goes wrong between client and daemon, whatever is asked for.

A connection is refused, a rule of the protocol is broken, or the peer is newer than we are.
"""

from holdfast.errors.error import HoldfastError


class Refused(HoldfastError):
    """The handshake failed or was undone."""


class ProtocolMismatch(Refused):
    """Client and daemon share no version of the protocol."""

    code = "PROTOCOL_MISMATCH"
    status = 426
    what_template = "the client speaks protocol {client}, the daemon {daemon}"
    fix_template = "upgrade the {older}; `hold daemon restart` replaces a daemon without loss"
    client: str
    daemon: str
    older: str


class AuthFailed(Refused):
    """The client did not prove that it may connect."""

    code = "AUTH_FAILED"
    status = 401
    what_template = "access refused: {reason}"
    fix_template = "connect as the user who runs the daemon, with its token if it wants one"
    reason: str


class InvalidClientId(Refused):
    """The client id is empty, too long or has characters that are not allowed."""

    code = "INVALID_CLIENT_ID"
    status = 400
    what_template = "client id {value!r} cannot be used: {problem}"
    fix_template = "use 1 to 64 letters, digits, dots, dashes or underscores"
    value: str
    problem: str


class NotAuthenticated(Refused):
    """A request came before the handshake."""

    code = "NOT_AUTHENTICATED"
    status = 401
    what_template = "{kind!r} came before the handshake"
    fix_template = "send hello first and wait for welcome"
    kind: str


class AlreadyAuthenticated(Refused):
    """A second handshake on one connection."""

    code = "ALREADY_AUTHENTICATED"
    status = 409
    what_template = "this connection has already introduced itself as {client_id!r}"
    fix_template = "open another connection for another client"
    client_id: str


class Superseded(Refused):
    """A newer connection with the same client id, or a new owner, took the place."""

    code = "SUPERSEDED"
    status = 409
    what_template = "replaced by a newer connection: {reason}"
    fix_template = "reconnect to take the place back"
    reason: str


class ProtocolError(HoldfastError):
    """Bytes that are no frame, a message in the wrong state, a field of the wrong type."""

    code = "PROTOCOL_ERROR"
    status = 400
    what_template = "the wire protocol was broken: {problem}"
    fix_template = "connect again; docs/reference/protocol.md has what may be said, and when"
    problem: str


class LocalProtocolError(ProtocolError):
    """This side tried to send something illegal: a bug here."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something illegal: close the connection."""


class Unfamiliar(HoldfastError):
    """An error of a newer peer; its own words say what it is."""

    status = 500
    what_template = "error {peer_code}"
    fix_template = ""
    peer_code: str
