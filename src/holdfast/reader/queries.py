"""Where in the output queries end, so that each can be answered by the right one.

A model answers while it is fed and does not say what to. So it is fed up to the end of each
sequence that might be a query, and what it then says belongs there. A pattern finds
too many of them rather than too few; an answer between two ends is put at the later one.
"""

import re
from collections.abc import Iterator

# Every alternative begins with ESC or ENQ, which is what makes the search quick.
QUERY = re.compile(
    rb"\x1b(?:"
    rb"\[[?>=!0-9;:]*[ $'\"]*[cnpqtux]"  # device attributes, reports, modes, sizes, kitty
    rb"|\[\?(?:2031|2033|2048)h"  # modes whose setting is answered
    rb"|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # strings: colours, settings, pictures
    rb"|Z)"
    rb"|\x05"
)

# A flood of queries is answered as far as anybody would read: replies cost thirty times what
# other output does, and whoever asks faster than this is not waiting for answers.
REPLY_LIMIT = 256  # for each feed


def ends_of_queries(data: bytes | memoryview) -> Iterator[int]:
    """Return where sequences that may be queries end."""
    return (found.end() for found in QUERY.finditer(data))
