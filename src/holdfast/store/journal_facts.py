"""Facts as they lie in a row: JSON behind its CRC-32, eight hexadecimal digits.

SQLite checks the shape of its pages and not what is in them; a flipped bit in a command line
would be run.
"""

import json
import zlib

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Facts = dict[str, JSON]
CRC_DIGITS = 8


def encode(facts: Facts) -> str:
    # Escaped to ASCII, so that arguments that are no UTF-8 come back unchanged.
    text = json.dumps(facts, separators=(",", ":"))
    return f"{zlib.crc32(text.encode('ascii')):08x}{text}"


def decode(data: bytes) -> Facts:
    """Return the facts; raises ValueError, TypeError or RecursionError for damaged ones."""
    text = data[CRC_DIGITS:]
    if int(data[:CRC_DIGITS], 16) != zlib.crc32(text):
        raise ValueError("the facts are not those that were stored")
    facts: JSON = json.loads(str(text, "ascii"))
    if not isinstance(facts, dict):
        raise TypeError("facts are an object")
    return facts
