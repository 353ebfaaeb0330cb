"""The few kinds of msgpack values that messages are made of, written and read by hand. Pure.

For `hold ls` and `hold send`: importing the real codec takes three times as long as Python's
own start. It knows no message: what a field means, and what it is when it is left out, is for
the caller. Tests compare it with the real one.
"""

TYPE_CHECKING = False  # `typing` would cost as much as all the rest
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Value = bool | int | float | str | bytes | Sequence["Value"] | Mapping[str, "Value"] | None

CONTROL = 1  # the type of a control frame
HEADER = 5  # bytes: length and type

# What follows a first byte: so many bytes of length (text, bytes, array, map) or of the number.
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_LISTS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}
_UNSIGNED = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_SIGNED = {0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_FIXED = {0xC0: None, 0xC2: False, 0xC3: True}


def frame(number: int, kind: str, body: "Mapping[str, Value]") -> bytes:
    """Return the whole control frame of a message."""
    payload = pack([number, kind, body])
    return len(payload).to_bytes(4, "big") + bytes([CONTROL]) + payload


def pack(value: "Value") -> bytes:
    """Return a value as msgpack; floats are not needed and not known."""
    if value is None or isinstance(value, bool):
        return b"\xc0" if value is None else b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if not 0 <= value < 1 << 64:
            raise ValueError(f"{value} is not written by hand")
        return bytes([value]) if value < 0x80 else b"\xcf" + value.to_bytes(8, "big")
    if isinstance(value, str):
        text = value.encode()
        return b"\xdb" + len(text).to_bytes(4, "big") + text
    if isinstance(value, bytes):
        return b"\xc6" + len(value).to_bytes(4, "big") + value
    if isinstance(value, dict):
        inside = [pack(part) for pair in value.items() for part in pair]
        return b"\xdf" + len(value).to_bytes(4, "big") + b"".join(inside)
    if isinstance(value, list):
        return b"\xdd" + len(value).to_bytes(4, "big") + b"".join(pack(part) for part in value)
    raise ValueError(f"{type(value)} is not written by hand")


def unpack(data: bytes) -> "Value":
    """Return the value that *data* is; raise ValueError for anything else, also a part of one."""
    try:
        value, end = _read(data, 0)
    except (IndexError, RecursionError) as error:
        raise ValueError(f"no message: {error}") from error
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes behind the message")
    return value


def _read(data: bytes, at: int) -> "tuple[Value, int]":
    first = data[at]
    at += 1
    if first < 0x80 or first >= 0xE0:
        return first if first < 0x80 else first - 0x100, at
    if first < 0x90:
        return _map(data, at, first & 0x0F)
    if first < 0xA0:
        return _list(data, at, first & 0x0F)
    if first < 0xC0:
        return _text(data, at, first & 0x1F)
    if first in _FIXED:
        return _FIXED[first], at
    return _long(data, at, first)


def _long(data: bytes, at: int, first: int) -> "tuple[Value, int]":
    """Read a value whose length, or whose number, is in the bytes that follow."""
    if first in _UNSIGNED or first in _SIGNED:
        number, end = _cut(data, at, _UNSIGNED.get(first) or _SIGNED[first])
        return int.from_bytes(number, "big", signed=first in _SIGNED), end
    if first in (0xCA, 0xCB):
        return _float(data, at, 4 if first == 0xCA else 8)
    for widths, read in ((_TEXTS, _text), (_MAPS, _map), (_LISTS, _list), (_BYTES, _cut)):
        if first in widths:
            number, at = _cut(data, at, widths[first])
            return read(data, at, int.from_bytes(number, "big"))
    raise ValueError(f"{first:#x} begins nothing that messages are made of")


def _cut(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    end = at + size
    if end > len(data):
        raise ValueError("the message is cut off")
    return data[at:end], end


def _text(data: bytes, at: int, size: int) -> tuple[str, int]:
    text, end = _cut(data, at, size)
    return text.decode(), end


def _list(data: bytes, at: int, count: int) -> "tuple[list[Value], int]":
    found = []
    for _ in range(count):
        value, at = _read(data, at)
        found.append(value)
    return found, at


def _map(data: bytes, at: int, count: int) -> "tuple[dict[str, Value], int]":
    found = {}
    for _ in range(count):
        name, at = _read(data, at)
        if not isinstance(name, str):
            raise ValueError("a field without a name")  # noqa: TRY004 - what was sent, not our type
        found[name], at = _read(data, at)
    return found, at


def _float(data: bytes, at: int, size: int) -> tuple[float, int]:
    from _struct import unpack_from  # noqa: PLC0415 - `struct` without its Python half

    number, end = _cut(data, at, size)
    (value,) = unpack_from(">f" if size == 4 else ">d", number)
    return float(value), end
