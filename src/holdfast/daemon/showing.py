"""What a session shows, for who asks once: drawn by the reader, or made of the last bytes."""

import json

from holdfast.daemon.reading import Reading
from holdfast.daemon.record import Record
from holdfast.daemon.viewers import tail
from holdfast.errors import InvalidArgument, NotFound
from holdfast.marks.plain import plain_lines
from holdfast.protocol.messages import GetScreen, Screen
from holdfast.store.log_reader import LogReader

FORMS = ("text", "vt", "json")


async def screen(reading: Reading, record: Record, asked: GetScreen) -> Screen:
    """Return what a session shows, or showed last."""
    if asked.form not in FORMS:
        problem = f"must be one of {', '.join(FORMS)}"
        raise InvalidArgument(argument="form", value=asked.form, problem=problem)
    if asked.scrollback is not None and asked.scrollback < 0:
        value = str(asked.scrollback)
        raise InvalidArgument(argument="scrollback", value=value, problem="is negative")
    if not reading.has_files(record):
        raise NotFound(session=record.id)
    painted = await reading.paint(record, scrollback=asked.scrollback, form=asked.form)
    if painted is None:
        return _tail(reading, record, asked)
    return Screen(
        session=record.id,
        offset=painted.offset,
        end=max(record.offset, painted.offset),
        form=asked.form,
        data=painted.data,
        cols=painted.cols,
        rows=painted.rows,
        lines=painted.lines,
        fidelity=painted.fidelity,
        title=record.title,
        cursor=painted.cursor,
    )


def _tail(reading: Reading, record: Record, asked: GetScreen) -> Screen:
    """Return the end of the log; it is all there is without a reader."""
    with LogReader(reading.directory(record)) as log:
        end = log.end()
        data = tail(log, end)
    size, lines = record.size, 0
    if asked.form != "vt":
        limit = None if asked.scrollback is None else size.rows + asked.scrollback
        text = plain_lines(data, limit)
        lines = max(0, len(text) - size.rows)
        if asked.form == "text":
            data = "\n".join(text).encode()
        else:
            facts = {"session": record.id, "offset": end, "fidelity": "tail", "title": record.title}
            shown = {"cols": size.cols, "rows": size.rows, "screen": text[lines:]}
            data = json.dumps(facts | shown | {"scrollback": text[:lines]}).encode()
    return Screen(
        session=record.id,
        offset=end,
        end=end,
        form=asked.form,
        data=data,
        cols=size.cols,
        rows=size.rows,
        lines=lines,
        fidelity="tail",
        title=record.title,
    )
