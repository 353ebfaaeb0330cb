"""As much of JSON Schema as our own schemas use; what they do not use is a mistake here."""

from typing import Any

KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "type", "properties", "required", "items",
    "anyOf", "additionalProperties", "prefixItems", "minItems", "maxItems", "const", "enum",
}  # fmt: skip
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Return where *value* is not what the schema says."""
    assert schema.keys() <= KNOWN, schema.keys() - KNOWN
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    if "anyOf" in schema:
        each = [faults(value, one, root, at) for one in schema["anyOf"]]
        return [] if [] in each else [f"{at}: {value!r} is none of {len(each)} kinds", *each[0]]
    kind = schema.get("type")
    if kind is not None and not _is(value, kind):
        return [f"{at}: {value!r} is no {kind}"]
    if isinstance(value, dict):
        return _object(value, schema, root, at)
    if isinstance(value, list):
        return _array(value, schema, root, at)
    return []


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def _object(
    value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str
) -> list[str]:
    found = [f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value]
    properties, more = schema.get("properties"), schema.get("additionalProperties")
    for name, each in value.items():
        if properties is not None and name in properties:
            found += faults(each, properties[name], root, f"{at}.{name}")
        elif isinstance(more, dict):
            found += faults(each, more, root, f"{at}.{name}")
        elif properties is not None and more is not True:
            found.append(f"{at}: {name} is not in the schema")
    return found


def _array(value: list[Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    first = schema.get("prefixItems", [])
    rest = schema.get("items")
    found: list[str] = []
    for number, each in enumerate(value):
        kind = first[number] if number < len(first) else rest
        if isinstance(kind, dict):
            found += faults(each, kind, root, f"{at}[{number}]")
    return found
