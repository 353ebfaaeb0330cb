"""Where settings come from, and how a bad one is named."""

from pathlib import Path

import pytest

from holdfast.config import Config
from holdfast.config.load import load
from holdfast.config.settings import parse_bytes, parse_count, settings
from holdfast.errors import InvalidSetting, IoFailed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_without_anything_the_defaults_hold(file: Path) -> None:
    assert load(file, {}) == Config()


def test_flags_beat_variables_beat_the_file_beats_defaults(file: Path) -> None:
    file.write_text('[session]\nlimit = 7\nkill_grace = "1s"\n')
    assert load(file, {}) == Config(session_limit=7, kill_grace=1.0)

    environ = {"HOLDFAST_SESSION_LIMIT": "8"}
    assert load(file, environ).session_limit == 8
    assert load(file, environ, {"session.limit": "9"}).session_limit == 9


def test_empty_means_the_default_also_over_a_lower_source(file: Path) -> None:
    file.write_text("[session]\nlimit = 7\n")

    assert load(file, {"HOLDFAST_SESSION_LIMIT": "  "}).session_limit == Config().session_limit


@pytest.mark.parametrize("text", ["0", "never", "off"])
def test_a_duration_can_be_switched_off(file: Path, text: str) -> None:
    assert load(file, {"HOLDFAST_SESSION_KILL_GRACE": text}).kill_grace is None


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ('# first\n[session]\nlimit = 3\nkill_grace = "5x"\n', ":4"),
        ('session.kill_grace = "5x"\n', ":1"),
        ('\n\nsession = { kill_grace = "5x" }\n', ":3"),
        ("[session]\nlimit = -1\n", ":2"),
        ("[session]\nlimit = 1.5\n", ":2"),
        ("[session]\nlimit = true\n", ":2"),
        ("[session]\nlimit = [1]\n", ":2"),
        ("[session]\nlimit = 2020-01-01\n", ":2"),
        ("[session\nlimit = 1\n", ":1"),
    ],
)
def test_a_bad_line_is_named_with_file_and_line(file: Path, content: str, where: str) -> None:
    file.write_text(content)

    with pytest.raises(InvalidSetting) as caught:
        load(file, {})
    assert caught.value.argument == f"{file}{where}"


def test_a_bad_variable_and_a_bad_flag_are_named(file: Path) -> None:
    with pytest.raises(InvalidSetting, match="variable HOLDFAST_SESSION_LIMIT"):
        load(file, {"HOLDFAST_SESSION_LIMIT": "many"})
    with pytest.raises(InvalidSetting, match="--session-kill-grace"):
        load(file, {}, {"session.kill_grace": "-1s"})


def test_an_unknown_key_is_an_error_with_a_suggestion(file: Path) -> None:
    file.write_text("[session]\nlimits = 3\n")
    with pytest.raises(InvalidSetting, match=r"did you mean session\.limit\?"):
        load(file, {})
    with pytest.raises(InvalidSetting, match="unknown setting"):
        load(file, {"HOLDFAST_ZZZ": "1"})


def test_a_file_that_cannot_be_read_is_said(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(IoFailed, match=r"config\.toml"):
        load(file, {})


def test_every_setting_has_a_unit_a_meaning_and_a_reason() -> None:
    for setting in settings().values():
        assert setting.unit
        assert setting.meaning
        assert setting.reason


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("1 KiB", 1024), ("256MiB", 256 << 20), ("1.5 gib", 3 << 29), ("2TiB", 2 << 40)],
)
def test_sizes_that_are_understood(text: str, number: int) -> None:
    assert parse_bytes(text) == number


@pytest.mark.parametrize("text", ["", "MiB", "1 MB", "-1", "1e3", "\u0661"])
def test_sizes_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="256 MiB"):
        parse_bytes(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "1000001", "9" * 30])
def test_counts_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        parse_count(text)
