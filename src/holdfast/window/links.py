"""Where a link of the page leads: here, into the browser of the person, or nowhere."""

from enum import Enum
from urllib.parse import urlsplit

WEB = ("http", "https")
HANDED_ON = (*WEB, "mailto")  # anything else could start a program here
PORTS = {"http": 80, "https": 443}


class Leads(Enum):
    """Where a link leads."""

    HERE = "here"
    OUTSIDE = "outside"
    NOWHERE = "nowhere"


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, name and port of an address of the web; None for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in WEB or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]


def leads(url: str, shown: str) -> Leads:
    """Return where *url* leads in a window that shows *shown*."""
    origin = origin_of(url)
    if origin is not None and origin == origin_of(shown):
        return Leads.HERE
    scheme = url.partition(":")[0].lower()
    if origin is not None or scheme in HANDED_ON[len(WEB) :]:
        return Leads.OUTSIDE
    return Leads.NOWHERE
