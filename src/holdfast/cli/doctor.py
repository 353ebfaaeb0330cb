"""`hold doctor`: looks at everything that could keep Holdfast from working, and says what to do.

It starts nothing, changes nothing, and works when nothing else does. A check is a function
from the scene to findings; the tables of the three files beside this one are all there are.
"""

import os
import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterator

from holdfast.cli import doctor_places, doctor_processes, doctor_surroundings, render
from holdfast.cli.columns import terminal_size
from holdfast.cli.doctor_scene import BROKEN, OK, WARNING, Check, Finding, Scene, looked_at
from holdfast.cli.exits import FAILED, one_line
from holdfast.cli.exits import OK as DONE
from holdfast.cli.shapes import Examined, FindingShown
from holdfast.errors import HoldfastError

CHECKS: tuple[Check, ...] = (
    *doctor_places.CHECKS,
    *doctor_processes.CHECKS,
    *doctor_surroundings.CHECKS,
)
NAME_WIDTH, LEVEL_WIDTH = 12, 8
LEAST = 20  # columns; what is narrower than that wraps by itself
COLORS = {OK: "32", WARNING: "33", BROKEN: "31"}


def doctor(values: Namespace) -> int:
    """Print what every check has found; fail when something is broken."""
    scene = looked_at(os.environ)
    found = [(check, finding) for check in CHECKS for finding in findings(check, scene)]
    broken = sum(finding.level == BROKEN for _, finding in found)
    warnings = sum(finding.level == WARNING for _, finding in found)
    if values.json:
        rows = [FindingShown(check.name, check.asks, *finding) for check, finding in found]
        print(render.as_json(Examined(not broken, rows)))
    else:
        print("\n".join(line for each in found for line in _lines(*each)))
        print(_summary(broken, warnings))
    return FAILED if broken else DONE


def findings(check: Check, scene: Scene) -> Iterator[Finding]:
    """Yield what a check finds; one that cannot look says so and stops nobody else."""
    if check.needs_places and scene.paths is None:
        return
    try:
        yield from check.look(scene)
    except HoldfastError as error:
        yield Finding(BROKEN, error.what, error.fix)
    except OSError as error:
        what = f"this could not be looked at: {error.strerror or error} ({error.filename or '-'})"
        yield Finding(WARNING, what, "mend what the message names and ask again")


def _lines(check: Check, finding: Finding) -> Iterator[str]:
    level = f"{finding.level:{LEVEL_WIDTH}}"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        level = f"\x1b[{COLORS[finding.level]}m{level}\x1b[m"
    indent = LEVEL_WIDTH + NAME_WIDTH
    size = terminal_size()
    width = max(LEAST, size.columns - indent) if size else 0
    what, *rest = _wrapped(one_line(finding.what), width)
    yield f"{level}{check.name:{NAME_WIDTH}}{what}"
    fix = _wrapped(f"-> {one_line(finding.fix)}", width) if finding.fix else []
    for line in (*rest, *fix):
        yield f"{'':{indent}}{line}"


def _wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text in so many columns; 0 is as many as it takes."""
    if not width:
        return [text]
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _summary(broken: int, warnings: int) -> str:
    said = f"{warnings} warning{'s' * (warnings != 1)}"
    if not broken:
        return f"nothing is broken, {said}" if warnings else "all is well"
    return f"{broken} {'thing is' if broken == 1 else 'things are'} broken, {said}"
