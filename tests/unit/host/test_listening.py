"""Where a host listens, and what is said when it cannot."""

import socket

import pytest

from holdfast.errors import IoFailed
from holdfast.host.server import NEXT_PORTS, listen


def test_an_address_of_another_machine_is_said_once_with_what_helps() -> None:
    """Another port, which was the advice, helps nobody there; nor does a tuple of Python."""
    with pytest.raises(IoFailed) as caught:
        listen("192.0.2.1", 7717)

    assert caught.value.what.count("192.0.2.1") == 1
    assert "--listen" in caught.value.fix


def test_a_busy_port_is_left_for_the_next_and_one_without_a_next_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with listen("127.0.0.1", port) as found:
            assert port < found.getsockname()[1] < port + NEXT_PORTS

    with socket.create_server(("127.0.0.1", 65535)), pytest.raises(IoFailed) as caught:
        listen("127.0.0.1", 65535)
    assert "busy" in caught.value.what
    assert "--port" in caught.value.fix
