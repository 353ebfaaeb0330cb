"""Where values come from: defaults < config.toml < HOLDFAST_* < flags.

A value that cannot be used is an error that names its flag, variable or file and line.
An empty value means the default.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.config.settings import Config, Setting, settings
from holdfast.errors import InvalidSetting, IoFailed

# Variables that are no settings: places (see paths.py), and what a session finds in its
# environment.
OTHER_VARIABLES = {
    "HOLDFAST_HOME",
    "HOLDFAST_JOURNAL_PATH",
    "HOLDFAST_DEBUG",
    "HOLDFAST_SESSION_ID",
}


DEFAULT = "default"


class Chosen(NamedTuple):
    """What holds for one setting, and where it was said."""

    setting: Setting
    value: Any
    source: str


class _Value(NamedTuple):
    source: str
    key: str
    text: str


def load(file: Path, environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Config:
    """Return the config of this process, or raise InvalidSetting.

    *flags* maps setting keys (`session.limit`) to texts from the command line.
    """
    chosen = explain(file, environ, flags)
    return Config(**{name: one.value for name, one in chosen.items() if one.source != DEFAULT})


def explain(
    file: Path, environ: Mapping[str, str], flags: Mapping[str, str] | None = None
) -> dict[str, Chosen]:
    """Return every setting, its value and where that comes from, or raise as `load` does."""
    known = {setting.key: (name, setting) for name, setting in settings().items()}
    chosen = {n: Chosen(setting, setting.default, DEFAULT) for n, setting in settings().items()}
    for values in (_from_file(file), _from_variables(environ), _from_flags(flags or {})):
        for value in values:
            name, one = _chosen(known, value)
            chosen[name] = one
    return chosen


def faults(file: Path, environ: Mapping[str, str]) -> list[InvalidSetting]:
    """Return everything for which `load` would raise, not only the first."""
    known = {setting.key: (name, setting) for name, setting in settings().items()}
    found = []
    for values in (_from_file(file), _from_variables(environ)):
        try:
            for value in values:
                try:
                    _chosen(known, value)
                except InvalidSetting as error:
                    found.append(error)
        except InvalidSetting as error:  # of the file as a whole
            found.append(error)
    return found


def _chosen(known: Mapping[str, tuple[str, Setting]], value: _Value) -> tuple[str, Chosen]:
    if value.key not in known:
        raise _unknown(value, list(known))
    name, setting = known[value.key]
    if not value.text.strip():
        return name, Chosen(setting, setting.default, DEFAULT)
    return name, Chosen(setting, _parse(setting, value), value.source)


def _parse(setting: Setting, value: _Value) -> object:
    try:
        return setting.parse(value.text)
    except ValueError as error:
        raise InvalidSetting(
            argument=value.source, value=value.text, problem=f"no {setting.unit}", remedy=str(error)
        ) from error


def _unknown(value: _Value, known: list[str]) -> InvalidSetting:
    close = difflib.get_close_matches(value.key, known, n=1, cutoff=0.5)
    lists = "docs/reference/settings.md lists every setting"
    remedy = f"did you mean {close[0]}?" if close else lists
    return InvalidSetting(
        argument=value.source, value=value.key, problem="unknown setting", remedy=remedy
    )


def _from_flags(flags: Mapping[str, str]) -> Iterator[_Value]:
    for key, text in flags.items():
        yield _Value("--" + key.replace(".", "-").replace("_", "-"), key, text)


def _from_variables(environ: Mapping[str, str]) -> Iterator[_Value]:
    keys = {setting.variable: setting.key for setting in settings().values()}
    for variable, text in environ.items():
        if variable.startswith("HOLDFAST_") and variable not in OTHER_VARIABLES:
            key = keys.get(variable, variable.removeprefix("HOLDFAST_").lower())
            yield _Value(f"variable {variable}", key, text)


def _from_file(file: Path) -> Iterator[_Value]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise IoFailed(action=f"reading {file}", reason=str(error)) from error
    for key, value in _flatten(_parsed(file, text)):
        source = f"{file}:{_line_of(text, key)}"
        if isinstance(value, bool | list | dict) or not isinstance(value, str | int | float):
            raise InvalidSetting(
                argument=source, value=str(value), problem="not a single text or number"
            )
        yield _Value(source, key, str(value))


def _parsed(file: Path, text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most people have no config file, and this costs 10 ms

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line ([0-9]+)", str(error))
        where = f"{file}:{line[1]}" if line else str(file)
        raise InvalidSetting(
            argument=where, value=str(error), problem="not TOML", remedy="mend that line"
        ) from error


def _flatten(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _line_of(text: str, key: str) -> int:
    """Return the line on which *key* is set, as well as it can be told without a parser."""
    section, current = key.rpartition(".")[::2], ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.\"-]+)\s*\]", line):
            current = header[1].replace('"', "")
        elif assigned := re.match(r"\s*([\w.\"-]+)\s*=", line):
            name = ".".join(filter(None, (current, assigned[1].replace('"', ""))))
            if name == key or (name == section[0] and section[1] in line):
                return number
    return 1
