"""Lines of the daemon's log: one for each report, whatever is in it."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from holdfast.daemon.reporting import line_of

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) .+?"
    r"( \w+=([\w./:@+,%-]+|\"([^\"\\]|\\.)*\"))*"
)


def test_a_line_reads_well() -> None:
    facts = {"session": "k3v9qd", "reason": "no space left", "offset": 5, "name": "", "code": None}

    line = line_of(0.25, "warning", "tidying up failed", facts)

    assert line == (
        "1970-01-01T00:00:00.250Z warning tidying up failed "
        'session=k3v9qd reason="no space left" offset=5'
    )


@given(st.text(min_size=1), st.dictionaries(st.sampled_from("abc"), st.text()))
def test_whatever_is_reported_is_one_line_of_one_shape(event: str, facts: dict[str, str]) -> None:
    line = line_of(1.5, "error", event, dict(facts))

    assert len(line.splitlines()) == 1
    assert LINE.fullmatch(line)
    for name, fact in facts.items():
        if fact:
            assert f" {name}={fact}" in line or f" {name}={json.dumps(fact)}" in line
