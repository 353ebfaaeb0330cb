"""Every error has its exit code and its two lines."""

import pytest

from holdfast.cli.commands import EXIT_CODES
from holdfast.cli.exits import CODES, PROGRAM_CODES, Usage, code_of, two_lines
from holdfast.errors import (
    CommandNotFound,
    CwdMissing,
    DaemonUnreachable,
    HoldfastError,
    Internal,
    InvalidArgument,
    InvalidSetting,
    InvalidSignal,
    NotConnected,
    NotFound,
    OwnerRequired,
    PermissionDenied,
    SessionGone,
    SessionTerminating,
    TimedOut,
)

ERRORS: list[tuple[BaseException, int, int]] = [
    # error, exit code, exit code where a program's is passed on
    (Usage("what", "fix"), 2, 2),
    (InvalidArgument(argument="name", value="x", problem="too long"), 2, 2),
    (InvalidSetting(argument="config.toml:3", value="x", problem="no number"), 2, 2),
    (InvalidSignal(value="X", known="TERM"), 2, 125),
    (NotFound(session="x"), 3, 125),
    (TimedOut(action="x", seconds=1.0), 4, 125),
    (SessionGone(session="x"), 5, 125),
    (SessionTerminating(session="x"), 5, 125),
    (OwnerRequired(session="x", owner="y"), 6, 125),
    (NotConnected(reason="x"), 7, 125),
    (DaemonUnreachable(path="/x", reason="y"), 7, 125),
    (CommandNotFound(command="x"), 1, 127),
    (PermissionDenied(action="x"), 1, 126),
    (CwdMissing(path="/x"), 1, 125),
    (Internal(summary="x"), 1, 125),
    (OSError(5, "Input/output error"), 1, 125),
    (KeyError("x"), 1, 125),
]


@pytest.mark.parametrize(("error", "code", "in_run"), ERRORS, ids=lambda each: repr(each)[:30])
def test_exit_codes(error: BaseException, code: int, in_run: int) -> None:
    assert code_of(error, passes_code=False) == code
    assert code_of(error, passes_code=True) == in_run


def test_every_exit_code_is_documented() -> None:
    documented = {code for code, _ in EXIT_CODES}

    assert {code for _, code in (*CODES, *PROGRAM_CODES)} <= documented


@pytest.mark.parametrize(("error", "_code", "_in_run"), ERRORS, ids=lambda each: repr(each)[:30])
def test_an_error_is_told_in_two_lines(error: BaseException, _code: int, _in_run: int) -> None:
    lines = two_lines(error).splitlines()

    assert len(lines) == 2
    assert lines[0].startswith("hold: ")
    assert lines[1].startswith("      ")


def test_an_error_cannot_write_to_the_terminal() -> None:
    error: HoldfastError = NotFound(session="x")
    error = error.said("bad \x1b]0;name\x07 \u202e and\nmore \udc9b", "")

    assert two_lines(error) == "hold: bad \\x1b]0;name\\x07 \\u202e and\\nmore \\x9b"
