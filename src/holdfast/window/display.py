"""Whether there is a display that answers. Asked before, for Qt ends the process without one."""

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

ANSWERS_WITHIN = 2.0  # seconds; a forwarded display is at the other end of a network
X_NAME = re.compile(r"(?P<host>[^:]*):(?P<number>\d+)(?:\.\d+)?")
X_PORT = 6000


def trouble(environ: Mapping[str, str]) -> str:
    """Return why no window could appear anywhere, empty if one could."""
    if sys.platform == "darwin" or environ.get("QT_QPA_PLATFORM"):
        return ""  # whoever names a platform (offscreen, vnc) knows what he does
    x, wayland = environ.get("DISPLAY", ""), environ.get("WAYLAND_DISPLAY", "")
    if not x and not wayland:
        return "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    if (x and answers_x(x)) or (wayland and answers_wayland(wayland, environ)):
        return ""
    named = " and ".join(
        f"{name}={value}" for name, value in (("DISPLAY", x), ("WAYLAND_DISPLAY", wayland)) if value
    )
    return f"no display answers at {named}"


def answers_x(name: str) -> bool:
    """Return whether an X server listens at *name*, as DISPLAY has it."""
    found = X_NAME.fullmatch(name)
    if found is None:
        return _connects(socket.AF_UNIX, name)  # the path of a socket
    host, number = found["host"], int(found["number"])
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where every X server has it
        return _connects(socket.AF_UNIX, "\0" + path) or _connects(socket.AF_UNIX, path)
    try:
        with socket.create_connection((host, X_PORT + number), ANSWERS_WITHIN):
            return True
    except OSError:
        return False


def answers_wayland(name: str, environ: Mapping[str, str]) -> bool:
    """Return whether a compositor listens at *name*, as WAYLAND_DISPLAY has it."""
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return _connects(socket.AF_UNIX, str(Path(runtime) / name))


def _connects(family: int, address: str) -> bool:
    with socket.socket(family) as probe:
        probe.settimeout(ANSWERS_WITHIN)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
