"""SIGKILL before the n-th change that a piece of code makes to files."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

CHANGES = ["write", "pwrite", "rename", "replace", "unlink", "link", "truncate", "ftruncate"]
CHANGES += ["fchmod", "mkdir", "rmdir", "open", "utime", "fsync"]


def killed_before(change: int, action: Callable[[], object]) -> bool:
    """Run *action* in a child that dies before its *change*-th change; False if it was done."""
    child = os.fork()
    if child == 0:
        try:
            _count_down(change)
            action()
        except BaseException:  # noqa: BLE001 - this process ends here
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert status == 0, "the action failed, see stderr"
    return False


def _count_down(change: int) -> None:
    left = change

    def wrapped(name: str) -> Callable[..., Any]:
        original = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return call

    for name in CHANGES:
        setattr(os, name, wrapped(name))
