"""A connection without waiting. The standard library only: it is made before anything else."""

import socket
from pathlib import Path


def connect_at_once(path: Path) -> socket.socket:
    """Return a connected non-blocking socket; raise OSError, BlockingIOError for a full queue."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        sock.connect(str(path))
    except BaseException:
        sock.close()
        raise
    return sock
