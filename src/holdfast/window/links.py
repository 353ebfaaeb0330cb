"""Where a link of the page leads: here, into the browser of the person, or nowhere."""

from enum import Enum
from urllib.parse import urlsplit

WEB = ("http", "https")
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
    """Return where *url* leads in a window that shows *shown*.

    What is no address of the web leads nowhere: it could start any program here.
    """
    origin = origin_of(url)
    if origin is None:
        return Leads.NOWHERE
    return Leads.HERE if origin == origin_of(shown) else Leads.OUTSIDE
