"""How much memory this process takes, and giving back what was freed."""

import ctypes
import os
import sys
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
STATM = Path("/proc/self/statm")


def resident() -> int:
    """Return the bytes of memory in use; 0 where the system does not tell."""
    try:
        return int(STATM.read_text().split()[1]) * PAGE
    except OSError:
        return 0


def give_back() -> None:
    """Have the allocator return what is free: it keeps all of it otherwise (measured)."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not in every C library
        if trim is not None:
            trim(0)
