"""Puts our script into a page, before any of its own."""

import hashlib
import re
from html import escape
from pathlib import Path

SOURCE = (Path(__file__).parent / "page.js").read_bytes()
SCRIPT = "/__holdfast__/page.js"
# Its address has its content in it, so that a page which is loaded again need not ask for it.
_ADDRESS = f"{SCRIPT}?{hashlib.blake2b(SOURCE, digest_size=8).hexdigest()}"
LOOK_AT = 64 << 10  # bytes in which a head begins, if it begins at all

# Behind the first of these that is there: in front of a doctype a page would be a quirky one.
_HEAD = re.compile(rb"<head(?:\s[^>]*)?>", re.IGNORECASE)
_OTHERS = re.compile(rb"<html(?:\s[^>]*)?>|<!doctype[^>]*>", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_NONCE = re.compile(r"'nonce-([\w+/=-]+)'")


def tag(token: str, state: int, policy: str = "") -> bytes:
    """Return the element for a page of this state; *policy* is the page's CSP."""
    nonce = _NONCE.search(policy)
    extra = f' nonce="{escape(nonce[1])}"' if nonce else ""
    facts = f'data-token="{token}" data-state="{state}"{extra}'
    return f'<script src="{_ADDRESS}" {facts}></script>'.encode()


def wants_script(destination: str) -> bool:
    """Return whether what is asked for becomes a page: `Sec-Fetch-Dest`, empty if it is not said.

    What a script fetches to put it into its page is left as it is.
    """
    return destination in ("", "document", "iframe", "frame")


def injected(page: bytes, element: bytes) -> bytes:
    """Return the page with the element in it."""
    at = place(page)
    return page[:at] + element + page[at:]


def has_head(begun: bytes | bytearray) -> bool:
    """Return whether the beginning of a page is enough of it."""
    return _HEAD.search(begun) is not None


def place(page: bytes) -> int:
    """Return where in a page, or in the beginning of one, a first script belongs."""
    start = page[:LOOK_AT]
    # Blanked out, not cut out: places stay what they are.
    start = _COMMENT.sub(lambda found: b" " * len(found[0]), start)
    if found := _HEAD.search(start):
        return found.end()
    return max((each.end() for each in _OTHERS.finditer(start)), default=0)
