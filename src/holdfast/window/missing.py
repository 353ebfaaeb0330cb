"""What the window needs of the system, which no Python package brings: found out by loading it."""

import ctypes
import shutil
import sys
from collections.abc import Mapping

EXTRA = "pip install 'holdfast[window]'"

# soname -> package of Debian and Ubuntu. Those that a minimal system lacks; what they need comes
# with them. Read with ldd off the libraries and plugins that a window loads.
ALWAYS = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libXcomposite.so.1": "libxcomposite1",
    "libXdamage.so.1": "libxdamage1",
    "libXrandr.so.2": "libxrandr2",
    "libXtst.so.6": "libxtst6",
    "libasound.so.2": "libasound2-dev",  # the library itself has two names among releases
    "libdbus-1.so.3": "libdbus-1-3",
    "libdrm.so.2": "libdrm2",
    "libfontconfig.so.1": "libfontconfig1",
    "libgbm.so.1": "libgbm1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libnss3.so": "libnss3",
    "libwayland-server.so.0": "libwayland-server0",
    "libxcb-dri3.so.0": "libxcb-dri3-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbfile.so.1": "libxkbfile1",
}
UNDER_X = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def libraries(*, under_x: bool) -> dict[str, str]:
    """Return those that cannot be loaded, each with its package in Debian."""
    if sys.platform != "linux":
        return {}
    wanted = ALWAYS | (UNDER_X if under_x else {})
    return {name: package for name, package in wanted.items() if not _loads(name)}


def remedy(missing: Mapping[str, str]) -> str:
    """Return how to get them here."""
    if shutil.which("apt"):
        return f"apt install {' '.join(sorted(set(missing.values())))}"
    return "install the packages of your system that have them"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
