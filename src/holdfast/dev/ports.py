"""Ports on the loopback address: our own, and free ones for programs that we start."""

import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from holdfast.errors import InvalidArgument, LimitReached

LOOPBACK = "127.0.0.1"
# Below the ports that the system gives to outgoing connections (32768 and up on Linux): nobody
# gets one of these by accident between our look and the program's bind.
OWN_PORTS = range(20_000, 25_000)
LENT_PORTS = range(25_000, 30_000)
BACKLOG = 128
NONE_FREE = "end what listens on them, or choose one with --port"


def bind_own(port: int | None, folder: Path) -> socket.socket:
    """Return our socket: on *port*, or on the one that this folder had the last time.

    The same address again means that pages which are still open come back by themselves, and
    that a browser finds what the app has stored.
    """
    if port is not None:
        try:
            return _bound(port)
        except (OSError, OverflowError) as error:
            number = getattr(error, "errno", None)
            reason = os.strerror(number).lower() if number else str(error)
            raise InvalidArgument(
                argument="--port",
                value=str(port),
                problem=f"cannot be used: {reason}",
                remedy="choose another, or leave it out for one that is free",
            ) from error
    for each in _in_turn(OWN_PORTS, folder):
        try:
            return _bound(each)
        except OSError:
            continue
    raise LimitReached(resource="ports", limit=len(OWN_PORTS), remedy=NONE_FREE)


def _bound(port: int) -> socket.socket:
    # Not SO_REUSEPORT: two servers on one port would each get half of the requests.
    return socket.create_server((LOOPBACK, port), backlog=BACKLOG)


class Lent:
    """A free port for a program, kept from other `hold dev`s until it is closed."""

    def __init__(self, folder: Path) -> None:
        self._kept = ExitStack()
        for port in _in_turn(LENT_PORTS, folder):
            claim = _claimed(port)
            if claim is not None and _is_free(port):
                self._kept.enter_context(claim)
                self.port = port
                return
            if claim is not None:
                claim.close()
        raise LimitReached(resource="ports", limit=len(LENT_PORTS), remedy=NONE_FREE)

    def close(self) -> None:
        """Let others have it; twice does no harm."""
        self._kept.close()


def _claimed(port: int) -> socket.socket | None:
    """Return what keeps a port from others like us; the system lets go of it when we die."""
    claim = socket.socket(socket.AF_UNIX)
    if sys.platform != "linux":  # no names without a file there: a look has to do
        return claim
    try:
        claim.bind(f"\0holdfast-dev-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim


def _is_free(port: int) -> bool:
    """Return whether a program could listen on it, on each address that programs choose."""
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((host, port))  # bound and not listening: nobody can connect meanwhile
        except OSError as error:
            if family == socket.AF_INET6 and not _has_ipv6(error):
                continue
            return False
    return True


def _has_ipv6(error: OSError) -> bool:
    import errno  # noqa: PLC0415 - only on machines without it

    return error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def _in_turn(ports: range, folder: Path) -> Iterator[int]:
    """Yield all ports, beginning where this folder always begins."""
    digest = hashlib.blake2b(str(folder).encode(errors="replace"), digest_size=4).digest()
    first = int.from_bytes(digest) % len(ports)
    for step in range(len(ports)):
        yield ports[(first + step) % len(ports)]
