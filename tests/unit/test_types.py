"""Sizes and exits."""

import os

import pytest

from holdfast.types import ExitStatus, Size


@pytest.mark.parametrize(("cols", "rows"), [(1, 1), (80, 24), (1000, 1000)])
def test_sizes_that_exist(cols: int, rows: int) -> None:
    assert Size.parse(f" {cols}X{rows} ") == Size(cols, rows)
    assert str(Size(cols, rows)) == f"{cols}x{rows}"


@pytest.mark.parametrize(
    "text", ["", "80", "0x24", "80x0", "1001x1", "-1x5", "80x24x1", "x", "8 0x2"]
)
def test_sizes_that_do_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"COLSxROWS|must be 1 to 1000"):
        Size.parse(text)


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_a_wait_status_of_an_exit(code: int) -> None:
    pid = os.fork()
    if not pid:
        os._exit(code)
    status = ExitStatus.from_wait(os.waitpid(pid, 0)[1])

    assert status == ExitStatus(code=code)
    assert status.as_shell_code() == code


def test_a_wait_status_of_a_signal() -> None:
    pid = os.fork()
    if not pid:
        os.kill(os.getpid(), 9)
    status = ExitStatus.from_wait(os.waitpid(pid, 0)[1])

    assert status == ExitStatus(signal=9)
    assert status.as_shell_code() == 137


def test_an_exit_nobody_could_learn() -> None:
    assert not ExitStatus().known
    assert ExitStatus().as_shell_code() is None
