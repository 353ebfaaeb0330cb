"""A picture of a session, as somebody asked for it."""

import msgspec

from holdfast.protocol.reading import NotPainted, Paint, Painted
from holdfast.reader.fence import Fence
from holdfast.reader.follower import Follower
from holdfast.reader.model import SCROLLBACK_LIMIT, ScreenModel

TRIES = 4  # to leave out as much scrollback as does not fit; then all of it


def picture(
    follower: Follower, model: ScreenModel, paint: Paint, fence: Fence
) -> Painted | NotPainted:
    """Return the screen as it is, with as much scrollback as was asked for and fits."""
    wanted = SCROLLBACK_LIMIT if paint.scrollback is None else max(0, paint.scrollback)
    at = follower.position

    def formed(scrollback: int) -> tuple[bytes, int]:
        with fence.watching(follower.session, at, at):  # each has its own time
            return _formed(follower, model, paint.form, scrollback)

    data, lines = formed(wanted)
    for tried in range(TRIES):
        if len(data) <= paint.most:
            break
        # Lines are not alike, so a bit less than their share; at last none.
        share = int(lines * paint.most / len(data) * 0.8)
        data, lines = formed(0 if tried == TRIES - 1 else share)
    with fence.watching(follower.session, at, at):
        cursor = model.cursor
    if len(data) > paint.most:
        return NotPainted(paint.number, "large")
    cols, rows = model.size
    return Painted(paint.number, at, data, cols, rows, lines, follower.fidelity, cursor)


def _formed(
    follower: Follower, model: ScreenModel, form: str, scrollback: int
) -> tuple[bytes, int]:
    """Return the bytes, and how many lines of scrollback they have."""
    if form == "vt":
        shown = model.snapshot(scrollback)
        return shown.data, shown.lines
    text = model.text(scrollback)
    cols, rows = model.size
    lines = max(0, len(text) - rows)
    if form == "text":
        return "\n".join(text).encode(), lines
    col, row = model.cursor
    facts = {
        "session": follower.session,
        "offset": follower.position,
        "fidelity": follower.fidelity,
        "cols": cols,
        "rows": rows,
        "cursor": {"col": col, "row": row},
        "title": model.title,
        "cwd": model.cwd,
        "modes": sorted(model.modes),
        "scrollback": text[:lines],
        "screen": text[lines:],
    }
    return msgspec.json.encode(facts), lines
