"""What an object holds in memory, found out without knowing what it is made of."""

import gc
import types
from collections.abc import Iterable

# Whatever a function refers to, its module does, and that refers to everything.
ELSEWHERE = (type, types.ModuleType, types.FunctionType)


def bytes_in(root: object, borders: Iterable[object]) -> int:
    """Return how many bytes of data an object holds, itself and in all that it refers to."""
    seen = {id(border) for border in borders}
    found, count = [root], 0
    while found:
        one = found.pop()
        if id(one) in seen or isinstance(one, ELSEWHERE):
            continue
        seen.add(id(one))
        if isinstance(one, bytes | bytearray | memoryview):
            count += len(one)
        found += gc.get_referents(one)
    return count
