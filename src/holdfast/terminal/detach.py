"""Tell the keys that are for `hold` from those that are meant for the session. Pure.

The key - `Ctrl-\\` unless it is set otherwise - pressed twice within 400 ms leaves; followed
by `d` it leaves as well, by `t` it takes the session over, by `?` it shows this. A press is held
back until it is clear what it was: another key or the end of that time sends it on, in its place.
Followed by `i` it is sent on twice, for whoever waits for it inside: a `hold` behind ssh, say.

Programs can ask the terminal to send keys in other encodings, so the key has many spellings:
a control character, `CSI 92;5u` (kitty, with lock keys, event types and alternates in it) and
`CSI 27;5;92~` (modifyOtherKeys). What is pasted is no key.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

KEY = 0x1C
WITHIN = 0.4  # seconds: two deliberate presses take 100 to 250 ms, a repeated lone one 500
# Seconds that the beginning of an encoded key waits for its rest. Nobody notices them at an
# Escape, and only a line that cuts sequences in two brings the rest later than at once.
REST_WITHIN = 0.05
PASTE_WITHIN = 2.0  # seconds without a byte after which a paste whose end was lost is over
DETACH, TAKEOVER, HELP, INSIDE = "detach", "takeover", "help", "inside"
LETTERS = {ord("d"): DETACH, ord("t"): TAKEOVER, ord("?"): HELP, ord("i"): INSIDE}

CONTROL, SHIFT = 4, 1  # as the encodings have them, less one
LOCKS = 64 | 128  # Caps Lock and Num Lock are no part of what was pressed
RELEASE, REPEAT = 3, 2
# Shift, Control and their like are keys of their own where a program asks for every event, and
# come between two presses.
MODIFIER_KEYS = frozenset({*range(57358, 57361), *range(57441, 57455)})

PASTE_BEGIN, PASTE_END = b"\x1b[200~", b"\x1b[201~"
_ENCODED = rb"\x1b\[[0-9]+(?:[:;][0-9]*){0,20}[u~]"
_IS_ENCODED = re.compile(_ENCODED)
_CUT = re.compile(rb"\x1b(?:\[(?:[0-9][0-9:;]{0,60})?)?\Z")
# What comes from a terminal without anybody having pressed a key: the mouse, the focus.
_NO_KEY = re.compile(rb"\x1b\[<[0-9;]*[Mm]|\x1b\[M...|\x1b\[[IO]", re.DOTALL)


class _Event(NamedTuple):
    """An encoded key: what it may stand for, with what, and whether it went down."""

    codes: tuple[int, ...]
    modifiers: int
    event: int

    @property
    def is_neutral(self) -> bool:
        return self.event == RELEASE or not MODIFIER_KEYS.isdisjoint(self.codes)


class Detach:
    """Take typed bytes, give those that are for the session."""

    def __init__(self, within: float | None = WITHIN, key: int = KEY) -> None:
        self.requested = False
        """The keys to leave were pressed; what was typed after them is for nobody."""
        self.asked: list[str] = []
        """What else was pressed, and nobody has seen to yet."""
        self.may_be_encoded = False
        """Whether a program has asked for other encodings: only then a lone Escape may be cut."""
        self._within = within
        self._byte = bytes([key])
        self._code = key + 64 + (32 if chr(key + 64).isalpha() else 0)
        self._token = re.compile(_ENCODED + b"|" + re.escape(self._byte))
        self._held = b""
        self._held_since = 0.0
        self._cut = b""
        self._cut_since = 0.0
        self._is_pasting = False
        self._fed_at = 0.0

    def feed(self, data: bytes, now: float) -> bytes:
        """Return what is to be sent on now."""
        if self._within is None:
            return data
        sent = self.expire(now)
        if self._is_pasting and now - self._fed_at > PASTE_WITHIN:
            self._is_pasting = False
        if data:
            self._fed_at = now
        for piece in self._pieces(data, now):
            sent += self._take(piece, now)
            if self.requested:
                self._cut = b""
                break
        return sent

    def deadline(self) -> float | None:
        """Return when `expire` must be called, or None while nothing is held back."""
        held = self._held_since + (self._within or 0.0) if self._held else None
        cut = self._cut_since + REST_WITHIN if self._cut else None
        return min((each for each in (held, cut) if each is not None), default=None)

    def expire(self, now: float) -> bytes:
        """Return what turned out to be nothing special."""
        sent = b""
        if self._cut and now >= self._cut_since + REST_WITHIN:
            sent, self._cut = self._release() + self._cut, b""
        if self._held and now >= self._held_since + (self._within or 0.0):
            sent += self._release()
        return sent

    def _pieces(self, data: bytes, now: float) -> Iterator[bytes]:
        """Yield keys that may be special and, whole, the bytes between them."""
        data, self._cut = self._cut + data, b""
        cut = _CUT.search(data)
        if cut is not None and (len(cut[0]) > 1 or self.may_be_encoded):
            data, self._cut, self._cut_since = data[: cut.start()], cut[0], now
        at = 0
        for token in self._token.finditer(data):
            if token.start() > at:
                yield data[at : token.start()]
            yield token[0]
            at = token.end()
        if at < len(data):
            yield data[at:]

    def _take(self, piece: bytes, now: float) -> bytes:
        """Return what is to be sent on because of this piece."""
        if self._is_pasting or piece in (PASTE_BEGIN, PASTE_END):
            self._is_pasting = piece != PASTE_END
            return self._release() + piece
        event = _event(piece)
        if event is not None and event.is_neutral:
            if not self._held:
                return piece
            self._held += piece
        elif piece == self._byte or (event is not None and self._is_key(event)):
            if self._held:
                self.requested, self._held = True, b""
            else:
                self._held, self._held_since = piece, now
        elif self._held and (asked := _letter(piece, event)):
            self._held = b""
            if asked == INSIDE:
                return self._byte * 2 + (b"" if event is not None else piece[1:])
            self.requested = asked == DETACH
            if not self.requested:
                self.asked.append(asked)
                return b"" if event is not None else piece[1:]
        else:
            return self._release() + piece
        return b""

    def _is_key(self, event: _Event) -> bool:
        is_pressed = event.event not in (RELEASE, REPEAT)
        return is_pressed and event.modifiers == CONTROL and self._code in event.codes

    def _release(self) -> bytes:
        held, self._held = self._held, b""
        return held


def has_press(data: bytes) -> bool:
    """Whether somebody has pressed a key in this: not let go of one, or moved the mouse."""
    rest = re.sub(_ENCODED, b"", _NO_KEY.sub(b"", data))
    events = [_event(token) for token in re.findall(_ENCODED, data)]
    return bool(rest) or any(event is None or not event.is_neutral for event in events)


def _letter(piece: bytes, event: _Event | None) -> str:
    """Return what is asked for by the key that follows the first."""
    if event is None:
        return LETTERS.get(piece[0], "")
    if event.event == REPEAT or event.modifiers not in (0, SHIFT):
        return ""
    # Where only the key is told and not what it writes, `?` is Shift and `/`, as on most.
    is_shifted = event.modifiers == SHIFT
    codes = (*event.codes, ord("?")) if is_shifted and ord("/") in event.codes else event.codes
    found = (LETTERS.get(code, "") for code in codes)
    return next((asked for asked in found if asked == HELP or not is_shifted), "")


def _event(piece: bytes) -> _Event | None:
    """Return the key in an encoding; None if it is none, or one that has no character."""
    if _IS_ENCODED.fullmatch(piece) is None:
        return None
    fields = [[int(part or b"0") for part in f.split(b":")] for f in piece[2:-1].split(b";")]
    if piece.endswith(b"~"):
        if len(fields) != 3 or fields[0] != [27]:
            return None
        return _Event((fields[2][0],), (fields[1][0] - 1) & ~LOCKS, 1)
    modifiers = fields[1] if len(fields) > 1 else [1]
    text = fields[2] if len(fields) > 2 else []
    codes = tuple(code for code in [*fields[0], *text] if code)
    event = modifiers[1] if len(modifiers) > 1 else 1
    return _Event(codes, max(0, modifiers[0] - 1) & ~LOCKS, event)


def explained(key: str, session: str, owner: str) -> list[str]:
    """Return the lines that say what the keys do."""
    return [
        f"session {session}, owned by {owner}",
        "",
        f"  {key} {key}   leave it (`hold attach {session}` comes back)",
        f"  {key} d        leave it, too",
        f"  {key} t        take it over, if somebody else owns it",
        f"  {key} i        leave what is shown inside of it: a `hold` behind ssh",
        f"  {key} ?        this",
        "",
        f"A lone {key} goes to the program, a moment later.",
        "Press any key to go on.",
    ]
