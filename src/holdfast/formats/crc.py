"""Checksums of bytes that nobody has at hand: two CRC-32 become the one of both runs.

A CRC-32 is a remainder of polynomials over two values: to append n bytes multiplies it by
x to the power of 8n. So it is arithmetic (zlib has it as `crc32_combine`, Python has not).
"""

from functools import lru_cache

POLYNOMIAL = 0xEDB88320  # of CRC-32, the lowest power in the highest bit
ONE = 1 << 31
BITS = [ONE >> power for power in range(32)]


def joined_crc(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two runs from those of each; *length* is that of the second."""
    return _times(first, _appended(length)) ^ second


@lru_cache(4096)  # a spinner prints a few lengths for ever
def _appended(length: int) -> list[int]:
    """Return what appending so many bytes makes of each bit of a checksum."""
    product, power = ONE, 3  # x^8 is x^(2^3)
    while length:
        if length & 1:
            product = _times(product, _POWERS[power % len(BITS)])
        length >>= 1
        power += 1
    return _multiples(product)


def _times(number: int, multiples: list[int]) -> int:
    product = 0
    for bit, multiple in zip(BITS, multiples, strict=True):
        if number & bit:
            product ^= multiple
    return product


def _multiples(number: int) -> list[int]:
    """Return *number*, and that times x to each power."""
    found = [number]
    while len(found) < len(BITS):
        number = number >> 1 ^ (POLYNOMIAL if number & 1 else 0)
        found.append(number)
    return found


def _powers() -> list[list[int]]:
    """Return x^(2^k) for each k; from x^(2^32) on they are the same again."""
    powers = [_multiples(ONE >> 1)]
    while len(powers) < len(BITS):
        powers.append(_multiples(_times(powers[-1][0], powers[-1])))
    return powers


_POWERS = _powers()
