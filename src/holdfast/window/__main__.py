"""The process of a window. It ends with 0 when it was closed, with 3 when it could not be shown."""

import importlib.util
import os
import sys
from collections.abc import Sequence

from holdfast.window import display, missing
from holdfast.window.asked import FROM_STDIN, parse
from holdfast.window.channel import Channel

NOT_SHOWN = 3


def main(words: Sequence[str]) -> int:
    """Show a window until it is closed; return the exit code."""
    asked = parse(words)
    channel = Channel()
    what, fix = _trouble()
    if not what:
        url = asked.url
        if url == FROM_STDIN:
            channel.listen()
            url = channel.read_line()
        if os.geteuid() == 0:
            # Its sandbox refuses root, who can do everything anyway.
            os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
        try:
            from holdfast.window import qt  # noqa: PLC0415 - takes a second, and may not be there
        except ImportError as error:
            what, fix = f"a window cannot be shown: {error}", missing.EXTRA
        else:
            return qt.show(url, asked.look, channel)
    channel.tell(event="trouble", what=what, fix=fix)
    print(f"{what}\n{fix}", file=sys.stderr)  # noqa: T201 - a program of its own
    return NOT_SHOWN


def _trouble() -> tuple[str, str]:
    """Return what keeps a window from being shown, and what helps."""
    if importlib.util.find_spec("PySide6") is None:
        return "a window needs an extra part", missing.EXTRA
    if blind := display.trouble(os.environ):
        return blind, "open it where there is a display"
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    under_x = platform.startswith("xcb") or (not platform and bool(os.environ.get("DISPLAY")))
    if found := missing.libraries(under_x=under_x):
        return f"libraries of the system are missing: {', '.join(found)}", missing.remedy(found)
    return "", ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
