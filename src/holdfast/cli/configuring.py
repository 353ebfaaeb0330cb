"""`hold config`: what is set, and where."""

import os
from argparse import Namespace

from holdfast.cli import door, paging, render
from holdfast.cli.exits import OK, Usage
from holdfast.cli.shapes import SettingShown
from holdfast.config.duration import render_duration
from holdfast.config.load import Chosen, explain

HEADINGS = ("SETTING", "VALUE", "FROM")


def show(values: Namespace) -> int:
    """Show settings; one alone is its value and nothing else."""
    found = explain(door.places().config_file, os.environ)
    shown = [_shown(one) for one in found.values()]
    if values.setting is not None:
        shown = [_wanted(shown, values.setting)]
    if values.json:
        print(render.as_json(shown))
    elif values.setting is not None:
        print(shown[0].text)
    else:
        rows = [HEADINGS, *((one.key, one.text, one.source) for one in shown)]
        paging.show("\n".join(render.table(rows, 0)))
    return OK


def path(_values: Namespace) -> int:
    """Print where the config file is, or would be."""
    print(door.places().config_file)
    return OK


def check(_values: Namespace) -> int:
    """Say whether every setting can be used; an error that cannot be missed says which cannot."""
    file = door.places().config_file
    found = explain(file, os.environ)
    changed = sum(one.source != "default" for one in found.values())
    what = "can be read" if file.exists() else "does not exist, which is fine"
    print(f"{file} {what}; {changed} of {len(found)} settings differ from their defaults")
    return OK


def text_of(one: Chosen) -> str:
    """Return a value as it could be written into the file."""
    unit, value = one.setting.unit, one.value
    if unit == "duration":
        return render_duration(value)
    if unit == "size":
        return "unset" if value is None else render.size(value)
    return str(value)


def _shown(one: Chosen) -> SettingShown:
    return SettingShown(
        key=one.setting.key,
        value=one.value,
        text=text_of(one),
        unit=one.setting.unit,
        source=one.source,
        variable=one.setting.variable,
        meaning=one.setting.meaning,
    )


def _wanted(shown: list[SettingShown], key: str) -> SettingShown:
    for one in shown:
        if one.key == key:
            return one
    import difflib  # noqa: PLC0415 - only for mistakes

    close = difflib.get_close_matches(key, [one.key for one in shown], n=1, cutoff=0.5)
    fix = f"did you mean {close[0]}?" if close else "`hold config show` lists them"
    raise Usage(f"there is no setting {key!r}", fix)
