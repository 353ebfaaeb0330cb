"""A token is taken only from a file that nobody else can read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from holdfast.config.token import read_token
from holdfast.errors import IoFailed, PermissionDenied

UID = os.getuid()


@contextmanager
def not_root() -> Iterator[None]:
    """Be somebody whom a mode keeps out."""
    if UID != 0:
        yield
        return
    os.seteuid(12345)
    try:
        yield
    finally:
        os.seteuid(0)


def written(directory: Path, content: bytes, mode: int = 0o600) -> Path:
    file = directory / "token"
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_without_a_file_nobody_is_asked(tmp_path: Path) -> None:
    assert read_token(tmp_path / "token", UID) == ""


def test_the_token_is_the_line_without_its_end(tmp_path: Path) -> None:
    assert read_token(written(tmp_path, b"s3cret\n"), UID) == "s3cret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_that_others_may_touch_is_refused_with_the_fix(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, b"s3cret\n", mode)

    with pytest.raises(PermissionDenied) as caught:
        read_token(file, UID)
    assert caught.value.fix == f"chmod 600 {file}"


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermissionDenied, match=f"belongs to user {UID}"):
        read_token(written(tmp_path, b"s3cret\n"), UID + 1)


def test_a_directory_of_somebody_else_is_what_is_named() -> None:
    """What a `sudo hold` has left, most likely: nothing is wrong with a token."""
    with TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        state = Path(place, "state")
        state.mkdir(mode=0)
        with not_root(), pytest.raises(PermissionDenied) as caught:
            read_token(state / "token", UID + 1)

    assert caught.value.what == f"not allowed: using {state}, which belongs to user {UID}"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(written(tmp_path, b"s3cret\n"))

    with pytest.raises(PermissionDenied, match="cannot be opened"):
        read_token(link, UID)


def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "token", 0o600)

    with pytest.raises(PermissionDenied, match="is no file"):
        read_token(tmp_path / "token", UID)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"two\nlines", b"x" * 4097, b"nul\0"])
def test_what_is_no_token_is_refused_and_lets_nobody_in(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(IoFailed, match="not one line of printable ASCII"):
        read_token(written(tmp_path, content), UID)
