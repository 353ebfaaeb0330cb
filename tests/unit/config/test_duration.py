"""The one grammar of durations: what it takes, what it refuses, what switches off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.config.duration import LONGEST, parse_duration, render_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("250ms", 0.25),
        ("10s", 10.0),
        ("10m", 600.0),
        ("2h", 7200.0),
        ("1d", 86400.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("1d2h3m4s5ms", 93784.005),
        ("  10 M ", 600.0),
        ("1H30M", 5400.0),
        ("0", None),
        ("0s", None),
        ("0h0m", None),
        ("0.0", None),
        ("never", None),
        (" OFF ", None),
    ],
)
def test_durations_that_are_understood(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "x", "10x", "10 mins", "m", "h5", "5h5h", "30m1h", "1h30", "1,5", "1.", "1e3",
        "inf", "nan", "-1", "-1h", "- 5", "+5", "0x10", "\u0661", "none", "false", "disabled",
        "1h-30m", "9" * 400, "1001y", "400000d", "ms",
    ],
)  # fmt: skip
def test_a_typo_never_switches_anything_off(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_duration(text)


def test_a_negative_duration_is_called_so() -> None:
    with pytest.raises(ValueError, match="negative"):
        parse_duration("-5m")


@given(st.integers(1, int(LONGEST) * 1000))
def test_what_is_rendered_reads_back_the_same(milliseconds: int) -> None:
    assert parse_duration(render_duration(milliseconds / 1000)) == pytest.approx(
        milliseconds / 1000
    )


@given(st.text(alphabet="0123456789.-+ hmsdoffnevr", max_size=12))
def test_any_text_is_a_duration_off_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert seconds is None or 0 < seconds <= LONGEST


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "off"), (0.25, "250ms"), (5400, "1h30m"), (86401, "1d1s"), (0.0001, "0.000100s")],
)
def test_durations_are_rendered_as_people_write_them(seconds: float | None, text: str) -> None:
    assert render_duration(seconds) == text
