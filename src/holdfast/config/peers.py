"""Whose process is at the other end of a Unix socket, as far as the system tells."""

import socket
import struct
import sys

UCRED = struct.Struct("@iII")  # Linux, struct ucred: pid, uid, gid
# macOS, sys/ucred.h, struct xucred: version of this layout, effective uid, count of groups, groups.
XUCRED = struct.Struct("@IIh2x16I")
XUCRED_VERSION = 0
SOL_LOCAL, LOCAL_PEERCRED = 0, 1  # macOS, sys/un.h; Python's socket has no names for them
UNKNOWN = -1
"""A user nobody is: the system should have told, and did not."""


def peer_uid(sock: socket.socket) -> int | None:
    """Return whose process the peer is; None on a system that never tells."""
    try:
        if hasattr(socket, "SO_PEERCRED"):
            level, option, size = socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size
            return uid_of_ucred(sock.getsockopt(level, option, size))
        if sys.platform == "darwin":
            return uid_of_xucred(sock.getsockopt(SOL_LOCAL, LOCAL_PEERCRED, XUCRED.size))
    except OSError:
        return UNKNOWN  # macOS says so of a peer that has gone
    return None


def uid_of_ucred(credentials: bytes) -> int:
    """Return the user that Linux names."""
    if len(credentials) != UCRED.size:
        return UNKNOWN
    _pid, uid, _gid = UCRED.unpack(credentials)
    return int(uid)


def uid_of_xucred(credentials: bytes) -> int:
    """Return the user that macOS names; a layout we do not know names nobody."""
    if len(credentials) != XUCRED.size:
        return UNKNOWN
    version, uid, *_groups = XUCRED.unpack(credentials)
    return int(uid) if version == XUCRED_VERSION else UNKNOWN
