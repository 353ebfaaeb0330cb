"""JSON schemas of what `--json` prints, made from the structs: docs/reference/json."""

import json
from typing import Any

import msgspec

from holdfast.cli.shapes import LINES, SHAPES

ABOUT = "https://json-schema.org/draft/2020-12/schema"
PARTIAL = {"Status"}
"""Structs of which only some fields are always printed; of the others it is all of them."""


def schemas() -> dict[str, str]:
    """Return the text of every schema by its file name."""
    return {f"json/{name.replace(' ', '-')}.json": _text(name) for name in SHAPES}


def schema_of(command: str) -> dict[str, Any]:
    """Return the schema of what one command prints: of each line, where it prints lines."""
    found: dict[str, Any] = msgspec.json.schema(SHAPES[command], schema_hook=_anything)
    for name, kind in found.get("$defs", {}).items():
        if name not in PARTIAL:
            kind["required"] = [*kind["properties"]]
        # A default is what a reader takes for a field that is missing, and none is.
        for field in kind["properties"].values():
            field.pop("default", None)
    each = ", each line" if command in LINES else ""
    return {"$schema": ABOUT, "title": f"hold {command} --json{each}", **found}


def _anything(kind: type) -> dict[str, Any]:
    """Return what may be anything: the facts of an event."""
    assert kind is object, kind
    return {"description": "of any kind"}


def _text(command: str) -> str:
    return json.dumps(schema_of(command), indent=1, ensure_ascii=False) + "\n"
