"""The text format of Prometheus, version 0.0.4. It knows no metric."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

Number = int | float


class Family(NamedTuple):
    """One metric: its values by label, or its only one under an empty label."""

    name: str
    kind: str
    """counter or gauge."""
    help: str
    label: str
    values: Mapping[str, Number]


def text_of(families: Sequence[Family]) -> str:
    """Return the lines of all metrics."""
    lines: list[str] = []
    for family in families:
        lines += _head(family.name, family.kind, family.help)
        for value, number in family.values.items():
            label = f'{{{family.label}="{_escaped(value)}"}}' if family.label else ""
            lines.append(f"{family.name}{label} {number}")
    return "".join(f"{line}\n" for line in lines)


def histogram_text(
    name: str, help_: str, bounds: Sequence[float], counts: Sequence[int], total: float
) -> str:
    """Return the lines of a histogram; *counts* has one more than *bounds*."""
    ends = [*map(str, bounds), "+Inf"]
    sums = list(accumulate(counts))
    lines = _head(name, "histogram", help_)
    lines += [f'{name}_bucket{{le="{end}"}} {count}' for end, count in zip(ends, sums, strict=True)]
    lines += [f"{name}_sum {total}", f"{name}_count {sums[-1]}"]
    return "".join(f"{line}\n" for line in lines)


def _head(name: str, kind: str, help_: str) -> list[str]:
    text = help_.replace("\\", r"\\").replace("\n", r"\n")
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
