"""The guardian of a terminal: whoever has it may be killed at any moment."""

import sys

import pexpect
import pytest

from tests.support.hold import TIMEOUT, comes

pytestmark = pytest.mark.slow

ROUNDS = 20
KILLED_AT_ONCE = """
import os, signal
from holdfast.terminal.outer import Outer
outer = Outer(0, 1)
outer.guard()
outer.note_undo(b"undone")
outer.take()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_comes_although_its_user_is_killed_as_soon_as_it_is_there() -> None:
    """T5. The end of who leads a terminal's session hangs up on all that belong to it."""
    for _ in range(ROUNDS):
        leader = pexpect.spawn(sys.executable, ["-c", KILLED_AT_ONCE], timeout=TIMEOUT)
        comes(leader, b"undone")
        leader.close()
