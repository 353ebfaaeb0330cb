"""Take terminal queries out of output that is only being looked at. Pure.

A log holds the questions a program once asked its terminal: who are you, where is the
cursor, what colour is the background. Shown again they would be answered again, and
the answers would land in the shell that shows them, as if they had been typed.
"""

import re

HOLD_LIMIT = 64 << 10  # bytes of one unfinished sequence; no terminal takes a longer query

# Introducers come as ESC and a letter, or as one C1 character in UTF-8. Control characters
# inside a sequence are obeyed by terminals on the way, so they may not hide a query here.
_NEXT = re.compile(rb"[\x1b\x05]|\xc2[\x90\x98\x9a\x9b\x9d-\x9f]|\xc2\Z")
_CSI = re.compile(rb"(?:\x1b\[|\xc2\x9b)([^\x18\x1a\x1b\x40-\x7e\x80-\xff]*)([\x40-\x7e])?")
_STRING = re.compile(rb"\x1b([\]P_^X])|\xc2([\x9d\x90\x9f\x9e\x98])")
_OSC_END = re.compile(rb"\x1b\\|\xc2\x9c|[\x07\x18\x1a]|\x1b(?=[^\\])")
_END = re.compile(rb"\x1b\\|\xc2\x9c|[\x18\x1a]|\x1b(?=[^\\])")  # only an OSC ends with BEL
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")
_SAME = {0x9D: b"]", 0x90: b"P", 0x9F: b"_", 0x9E: b"^", 0x98: b"X"}

_ASKING_CSI = re.compile(
    rb"""[>=]?0*c                     # device attributes
    | \??[0-9;]*n                     # device status: cursor, colours, keyboard, locator
    | \??[0-9;]*\$p                   # is this mode set?
    | >[0-9]*q                        # name and version
    | (?:11|13|14|15|16|18|19|20|21)(?:;[0-9]*)*t   # size, position, title
    | \?u                             # kitty keyboard flags
    | \?[0-9;]*[mSg]                  # modifyOtherKeys, graphics limits, formats
    | [0-9;]*\*y                      # checksum of an area
    | [0-9]*x                         # terminal parameters
    | [0-9]*\$[uw] | &u | [0-9;]*'[|] # reports of state, presentation, locator
    | >[0-9;]*t | \#S | \#R           # title modes that answer
    """,
    re.VERBOSE,
)
_ASKING_OSC = re.compile(
    rb"(?:[45]|1[0-9]|2[12]|50|52|60|61|66);.*\?|1337;(?:Report|.*\?)|99;[^;]*p=\?|4[45];.*\?",
    re.DOTALL,
)


class QueryFilter:
    """Output in, the same without its questions out, however it is cut."""

    def __init__(self) -> None:
        self._held = b""
        self._image_is_quiet = False

    def feed(self, data: bytes) -> bytes:
        """Return what can be shown by now; an unfinished sequence is held back."""
        data, self._held = self._held + data, b""
        shown, at = [], 0
        while (found := _NEXT.search(data, at)) is not None:
            shown.append(data[at : found.start()])
            taken = self._sequence(data, found.start())
            if taken is None and len(data) - found.start() < HOLD_LIMIT:
                self._held = data[found.start() :]
                return b"".join(shown)
            kept, at = taken or (data[found.start() :], len(data))
            shown.append(kept)
        shown.append(data[at:])
        return b"".join(shown)

    def _sequence(self, data: bytes, at: int) -> tuple[bytes, int] | None:
        """Return what to show of the sequence at *at* and where it ends; None if it is cut."""
        if data[at] == 0x05:  # "enquiry": the oldest question of all
            return b"", at + 1
        if at + 1 == len(data):
            return None
        if (csi := _CSI.match(data, at)) is not None:
            return self._csi(csi, data)
        if (string := _STRING.match(data, at)) is not None:
            return self._string(string, data)
        if data[at : at + 2] in (b"\x1bZ", b"\xc2\x9a"):
            return b"", at + 2
        return data[at : at + 1], at + 1

    def _csi(self, found: re.Match[bytes], data: bytes) -> tuple[bytes, int] | None:
        if found[2] is None:
            return None if found.end() == len(data) else (b"", found.end())
        if _ASKING_CSI.fullmatch(_CONTROLS.sub(b"", found[1]) + found[2]) is None:
            return found[0], found.end()
        return b"".join(_CONTROLS.findall(found[1])), found.end()

    def _string(self, begin: re.Match[bytes], data: bytes) -> tuple[bytes, int] | None:
        kind = begin[1] or _SAME[begin[2][0]]
        ending = (_OSC_END if kind == b"]" else _END).search(data, begin.end())
        if ending is None:
            return None
        if ending[0] == b"\x1b":  # the next sequence cuts this one off
            return b"", ending.start()
        body = _CONTROLS.sub(b"", data[begin.end() : ending.start()])
        return b"" if self._asks(kind, body) else data[begin.start() : ending.end()], ending.end()

    def _asks(self, kind: bytes, body: bytes) -> bool:
        if kind == b"]":
            return _ASKING_OSC.match(body) is not None
        if kind == b"P":
            return body.startswith((b"$q", b"+q", b"tmux;"))
        if kind == b"_" and body.startswith(b"G"):
            return self._image_asks(body[1:].partition(b";")[0].split(b","))
        return False

    def _image_asks(self, keys: list[bytes]) -> bool:
        # A kitty image is confirmed unless it asks for quiet; its later pieces say only m=.
        if any(key[:2] != b"m=" for key in keys):
            self._image_is_quiet = b"q=2" in keys or b"q=1" in keys
        return not self._image_is_quiet or b"a=q" in keys
