"""libghostty-vt, as far as it is used here. The only file that knows pyghostty.

The library parses what programs print, natively and quickly; whatever is wrong in it, a
hostile program will find. So the reader's process alone imports this.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pyghostty import _ffi

from holdfast.reader.model import SCROLLBACK_LIMIT, Profile, Rgb, ScreenError

ffi: Any = _ffi.ffi
lib: Any = _ffi.lib

# Lines are what is promised; bytes only keep an absurd program from taking all memory.
SCROLLBACK_BYTES = 64 * 1024 * 1024
# What is kept of an unfinished sequence, for pictures. A longer one is a picture itself
# (sixel), or of a program that never ends what it began.
CONTINUATION_BYTES = 1024 * 1024
GRAPHEMES = 2027  # widths by cluster, as terminals and pages of today have them
IMAGE_BYTES = 0  # images are in no snapshot, so they would only cost memory


class Terminal:
    """One terminal of the library. It answers through `on_reply`, within `write`."""

    def __init__(self, handle: Any, on_reply: Callable[[bytes], None]) -> None:
        self._handle = handle
        self._profile = Profile()
        # The library keeps addresses: whatever it may look at must live as long as it does.
        self._kept: list[Any] = []
        self._on_reply = ffi.callback(
            "GhosttyTerminalWritePtyFn",
            lambda _terminal, _user, data, length: on_reply(ffi.buffer(data, length)[:]),
        )
        self._set_limits()
        self._set_answers()

    @classmethod
    def create(cls, cols: int, rows: int, on_reply: Callable[[bytes], None]) -> "Terminal":
        made = ffi.new("GhosttyTerminal*")
        _check(lib.ghostty_terminal_new(ffi.NULL, made, cols, rows), "making a screen")
        mode = ffi.new("GhosttyTerminalModeConfig*", {"mode": GRAPHEMES, "value": True})
        lib.ghostty_terminal_set(made[0], lib.GHOSTTY_TERMINAL_OPT_MODE_DEFAULT, mode)
        return cls(made[0], on_reply)

    @classmethod
    def decode(cls, snapshot: bytes, on_reply: Callable[[bytes], None]) -> "Terminal":
        decoder, made = ffi.new("GhosttySnapshotDecoder*"), ffi.new("GhosttyTerminal*")
        held = ffi.from_buffer(snapshot)
        opened = lib.ghostty_snapshot_decoder_new_buf(ffi.NULL, decoder, held, len(snapshot))
        _check(opened, "reading a checkpoint")
        options = (
            (lib.GHOSTTY_SNAPSHOT_DECODER_OPT_MAX_CONTINUATION_BYTES, _number(CONTINUATION_BYTES)),
            (lib.GHOSTTY_SNAPSHOT_DECODER_OPT_RETAIN_CONTINUATION, ffi.new("bool*", True)),
        )
        try:
            for option, value in options:
                lib.ghostty_snapshot_decoder_set(decoder[0], option, value)
            _check(lib.ghostty_snapshot_decoder_decode(decoder[0], made), "reading a checkpoint")
        finally:
            lib.ghostty_snapshot_decoder_free(decoder[0])
        return cls(made[0], on_reply)

    def write(self, data: bytes) -> None:
        lib.ghostty_terminal_vt_write(self._handle, data, len(data))

    def write_until_ground(self, data: bytes) -> int:
        """Write what ends a sequence that was begun earlier; return how much that was."""
        consumed = ffi.new("size_t*")
        result = lib.ghostty_terminal_vt_write_until_ground(self._handle, data, len(data), consumed)
        return len(data) if result == lib.GHOSTTY_NO_VALUE else int(consumed[0])

    def listen(self, *, to: bool) -> None:
        """Hear answers, or not: then the library does not even make them up."""
        self._set("WRITE_PTY", self._on_reply if to else ffi.NULL)

    def ring(self, on_bell: Callable[[], None] | None) -> None:
        """Call back at each bell, or not."""
        if on_bell is None:
            self._set("BELL", ffi.NULL)
            return
        self._bell = ffi.callback("GhosttyTerminalBellFn", lambda _terminal, _user: on_bell())
        self._set("BELL", self._bell)

    def resize(self, cols: int, rows: int) -> None:
        width, height = self._profile.cell_width, self._profile.cell_height
        result = lib.ghostty_terminal_resize(self._handle, cols, rows, width, height)
        _check(result, f"a size of {cols}x{rows}")

    def encode(self, take: Callable[[bytes], bool]) -> bool:
        """Encode a snapshot until `take` says it is enough; return False where it cannot be."""
        stopped = False

        def write(_user: Any, data: Any, length: int) -> bool:
            nonlocal stopped
            stopped = not take(ffi.buffer(data, length)[:])
            return not stopped

        callback = ffi.callback("GhosttyWriterFn", write, error=False)
        writer = ffi.new("GhosttyWriter*", {"write": callback})
        result = lib.ghostty_snapshot_encode(self._handle, writer[0])
        return bool(result == lib.GHOSTTY_SUCCESS or stopped)

    def compress(self) -> None:
        result = ffi.new("GhosttyTerminalCompressionResult*")
        mode = lib.GHOSTTY_TERMINAL_COMPRESSION_MODE_FULL
        lib.ghostty_terminal_compress(self._handle, mode, result)

    def set_profile(self, profile: Profile) -> None:
        """Answer as this terminal from now on."""
        self._profile = profile
        self._set("COLOR_FOREGROUND", _rgb(profile.foreground))
        self._set("COLOR_BACKGROUND", _rgb(profile.background))
        self._set("COLOR_CURSOR", _rgb(profile.cursor))
        self._set("COLOR_PALETTE", self._palette(profile.palette))
        self._version = ffi.new("char[]", profile.version.encode())

    def _palette(self, changed: Mapping[int, Rgb]) -> Any:
        """Return all 256 colours with those changed, or what makes the library take its own."""
        if not changed:
            return ffi.NULL
        self._set("COLOR_PALETTE", ffi.NULL)
        colors = ffi.new("GhosttyColorRgb[256]")
        wanted = lib.GHOSTTY_TERMINAL_DATA_COLOR_PALETTE_DEFAULT
        _check(lib.ghostty_terminal_get(self._handle, wanted, colors), "its palette")
        for index, color in changed.items():
            colors[index] = ffi.new("GhosttyColorRgb*", color)[0]
        return colors

    def close(self) -> None:
        lib.ghostty_terminal_free(self._handle)

    def _set(self, option: str, value: Any) -> None:
        number = getattr(lib, f"GHOSTTY_TERMINAL_OPT_{option}")
        _check(lib.ghostty_terminal_set(self._handle, number, value), option)

    def _set_limits(self) -> None:
        self._set("SCROLLBACK_MAX_BYTES", _number(SCROLLBACK_BYTES))
        self._set("SCROLLBACK_MAX_LINES", _number(SCROLLBACK_LIMIT))
        self._set("CONTINUATION_MAX_BYTES", _number(CONTINUATION_BYTES))
        self._set("KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t*", IMAGE_BYTES))

    def _set_answers(self) -> None:
        """Set what the library asks us for, to answer by the profile."""
        for option, function, answer in (
            ("DEVICE_ATTRIBUTES", "GhosttyTerminalDeviceAttributesFn", self._attributes),
            ("COLOR_SCHEME", "GhosttyTerminalColorSchemeFn", self._scheme),
            ("SIZE", "GhosttyTerminalSizeFn", self._cells),
        ):
            self._kept.append(ffi.callback(function, answer, error=False))
            self._set(option, self._kept[-1])
        self._kept.append(ffi.callback("GhosttyTerminalXtversionFn", self._say_version))
        self._set("XTVERSION", self._kept[-1])

    def _attributes(self, _terminal: Any, _user: Any, out: Any) -> bool:
        out.primary.conformance_level = self._profile.conformance
        out.primary.num_features = len(self._profile.features)
        for index, feature in enumerate(self._profile.features):
            out.primary.features[index] = feature
        kind, version, cartridge = self._profile.device
        out.secondary.device_type = kind
        out.secondary.firmware_version = version
        out.secondary.rom_cartridge = cartridge
        out.tertiary.unit_id = 0
        return True

    def _scheme(self, _terminal: Any, _user: Any, out: Any) -> bool:
        if self._profile.dark is None:
            return False
        dark, light = lib.GHOSTTY_COLOR_SCHEME_DARK, lib.GHOSTTY_COLOR_SCHEME_LIGHT
        out[0] = dark if self._profile.dark else light
        return True

    def _cells(self, _terminal: Any, _user: Any, out: Any) -> bool:
        for name, key in (("columns", "COLS"), ("rows", "ROWS")):
            value = ffi.new("uint16_t*")
            lib.ghostty_terminal_get(
                self._handle, getattr(lib, f"GHOSTTY_TERMINAL_DATA_{key}"), value
            )
            setattr(out, name, value[0])
        out.cell_width, out.cell_height = self._profile.cell_width, self._profile.cell_height
        return True

    def _say_version(self, _terminal: Any, _user: Any) -> Any:
        return ffi.new("GhosttyString*", (self._version, len(self._profile.version.encode())))[0]


def _number(value: int) -> Any:
    return ffi.new("size_t*", value)


def _rgb(color: Rgb | None) -> Any:
    return ffi.NULL if color is None else ffi.new("GhosttyColorRgb*", color)


def _check(result: int, what: str) -> None:
    if result:
        raise ScreenError(f"the terminal library refuses {what}: {result}")
