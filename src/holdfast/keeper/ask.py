"""Ask the keeper something, blocking, with a time limit: for `hold` and for checks."""

import select
import socket
import time

from holdfast.keeper.wire import Body, Channel, Gone


def ask(path: str, body: Body, timeout: float) -> Body:
    """Return the keeper's reply.

    Raises ConnectionRefusedError or FileNotFoundError when no keeper listens, Gone when it
    vanishes under the question, TimeoutError when it does not answer in time.
    """
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(timeout)
        sock.connect(path)
        channel = Channel(sock)
        channel.send(body)
        turn = select.poll()  # `select` takes no descriptor above 1,023: scripts have such
        while (left := deadline - time.monotonic()) > 0:
            to_write = select.POLLOUT if channel.wants_to_write else 0
            turn.register(channel, select.POLLIN | to_write)
            if turn.poll(left * 1000):
                channel.flush()
                for reply, _fds in channel.receive():
                    del reply["fds"]  # of the frame, not of the answer
                    return reply
    raise TimeoutError(f"no answer from the keeper within {timeout:g} s")


__all__ = ["Gone", "ask"]
