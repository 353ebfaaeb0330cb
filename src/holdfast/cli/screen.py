"""`hold screen`: what a session shows now, or showed last."""

import json
import os
import sys
from argparse import Namespace

from holdfast.cli import door, render
from holdfast.cli.exits import OK, Usage, note
from holdfast.protocol.messages import GetScreen, Role, Screen
from holdfast.terminal.outer import write_all

FORMS = ("text", "vt", "json")
ALL = "all"
LONGEST = 9  # digits
MISSING = {
    "tail": "it is made of the last that was printed",
    "partial": "not all that was printed is kept",
}


def screen(values: Namespace) -> int:
    """Print what a session shows."""
    form = _form(values.format, is_json=values.json)
    lines = _lines(values.scrollback)
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id)
        shown = client.call(GetScreen(session=session.id, form=form, scrollback=lines))
    if values.json:
        print(render.as_json(_fields(shown)))
        return OK
    if missing := MISSING.get(shown.fidelity):
        note(f"{missing}: something may be missing on this screen")
    _write(shown)
    return OK


def _form(wanted: str | None, *, is_json: bool) -> str:
    form = wanted or ("json" if is_json else "text")
    if form not in FORMS:
        raise Usage(f"--format {form!r} is unknown", f"write one of {', '.join(FORMS)}")
    return form


def _lines(text: str | None) -> int | None:
    """Return a number of lines; None is all there are."""
    if text == ALL:
        return None
    if text is None:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > LONGEST:
        raise Usage(f"--scrollback {text!r} is no number of lines", f"write a number, or {ALL}")
    return int(text)


def _fields(shown: Screen) -> dict[str, object]:
    """Return every field; what was drawn as its own kind, not as bytes."""
    fields: dict[str, object] = {n: getattr(shown, n) for n in shown.__struct_fields__}
    if shown.form == "json":
        return fields | {"data": json.loads(shown.data)}
    return fields | {"data": shown.data.decode(errors="replace")}


def _write(shown: Screen) -> None:
    out = sys.stdout.fileno()
    if shown.form != "vt":
        write_all(out, shown.data.rstrip(b"\n") + b"\n")  # below the last line is nothing
        return
    if not os.isatty(out):
        write_all(out, shown.data)
        return
    from holdfast.terminal.modes import Modes  # noqa: PLC0415 - only to draw
    from holdfast.terminal.queries import QueryFilter  # noqa: PLC0415

    modes = Modes()
    drawn = QueryFilter().feed(shown.data)
    modes.feed(drawn)
    write_all(out, drawn + modes.undo())
