"""Whose process a peer is, out of the bytes that each system tells it in."""

import os
import socket

import pytest

from holdfast.config.peers import UNKNOWN, peer_uid, uid_of_ucred, uid_of_xucred

# As an arm64 Mac lays it out: version 0, uid 501, two groups (20 and 12), room for 14 more.
MAC = bytes.fromhex("00000000 f5010000 0200 0000 14000000 0c000000") + bytes(14 * 4)


def test_the_user_that_macos_names() -> None:
    assert len(MAC) == 76
    assert uid_of_xucred(MAC) == 501


@pytest.mark.parametrize("uid", [0, 501, (1 << 32) - 2])
def test_users_are_not_negative(uid: int) -> None:
    number = uid.to_bytes(4, "little")

    assert uid_of_xucred(MAC[:4] + number + MAC[8:]) == uid
    assert uid_of_ucred(bytes(4) + number + bytes(4)) == uid


@pytest.mark.parametrize(
    "told", [b"", MAC[:-1], MAC + b"\0", b"\1" + MAC[1:]], ids=["none", "short", "long", "newer"]
)
def test_what_is_not_understood_names_nobody(told: bytes) -> None:
    assert uid_of_xucred(told) == UNKNOWN
    assert uid_of_ucred(told) == UNKNOWN


def test_a_peer_of_ours_is_our_user() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert peer_uid(here) in (os.getuid(), None)


def test_a_peer_about_which_the_system_should_tell_and_does_not_is_nobody() -> None:
    here, there = socket.socketpair()
    there.close()
    here.close()

    assert peer_uid(here) in (UNKNOWN, None)
