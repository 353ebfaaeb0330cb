"""Durations, in the one grammar used everywhere: flags, variables, files, the page.

`90` `1.5` are seconds, units are ms s m h d in any case, combined forms go from large to
small (`1h30m`), and `0`, `never` and `off` switch the thing off. Anything else is an
error: a typo must never disable a watchdog.
"""

import re

UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
OFF_WORDS = ("0", "never", "off")
LONGEST = 1000 * 365 * 86400.0  # beyond this, timers overflow; whoever means it writes never

_PART = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_BARE = re.compile(_PART)
_UNITS = re.compile(r"\s*".join(rf"(?:({_PART})\s*{unit})?" for unit in UNITS))
HELP = "write a number with a unit of ms, s, m, h or d (90, 1.5s, 1h30m), or off"


def parse_duration(text: str) -> float | None:
    """Return seconds, or None for a duration that is switched off; raise ValueError."""
    word = text.strip().lower()
    if word in OFF_WORDS:
        return None
    if _BARE.fullmatch(word):
        seconds = float(word)
    else:
        match = _UNITS.fullmatch(word)
        if match is None or not word:
            raise ValueError("negative durations make no sense" if _negative(word) else HELP)
        seconds = sum(
            float(part) * unit for part, unit in zip(match.groups("0"), UNITS.values(), strict=True)
        )
    if seconds > LONGEST:
        raise ValueError("longer than a thousand years; write never to switch it off")
    return seconds or None


def render_duration(seconds: float | None) -> str:
    """Return the shortest text that `parse_duration` reads back as the same duration."""
    if not seconds:
        return "off"
    rest, parts = round(seconds * 1000), []
    for unit, size in UNITS.items():
        count, rest = divmod(rest, round(size * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or f"{seconds:f}s"


def _negative(word: str) -> bool:
    return word.startswith("-") and bool(_BARE.fullmatch(word[1:]) or _UNITS.fullmatch(word[1:]))
