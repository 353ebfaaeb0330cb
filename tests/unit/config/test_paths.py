"""Where things are: one rule for every process of a user."""

import os
import socket
from contextlib import nullcontext
from pathlib import Path

import pytest

from holdfast.config.paths import Paths, make_private
from holdfast.config.where import SOCKET_PATH_LIMIT
from holdfast.errors import InvalidSetting, PermissionDenied

UID = os.getuid()
HOME = {"HOME": "/home/ada"}


def test_the_places_follow_xdg(tmp_path: Path) -> None:
    paths = Paths.find(HOME | {"XDG_RUNTIME_DIR": str(tmp_path)}, UID)

    assert paths.state == Path("/home/ada/.local/state/holdfast")
    assert paths.journal == Path("/home/ada/.local/state/holdfast/journal.db")
    assert paths.config_file == Path("/home/ada/.config/holdfast/config.toml")
    assert paths.runtime == tmp_path / "holdfast"


def test_a_runtime_directory_of_another_user_or_login_is_as_none(tmp_path: Path) -> None:
    """T16: `su` and `sudo -E` bring somebody else's; root's sockets would lock its owner out."""
    without = Paths.find(HOME, UID + 1).runtime

    assert Paths.find(HOME | {"XDG_RUNTIME_DIR": str(tmp_path)}, UID + 1).runtime == without
    assert Paths.find(HOME | {"XDG_RUNTIME_DIR": str(tmp_path / "x")}, UID + 1).runtime == without


def test_holdfast_home_moves_everything(tmp_path: Path) -> None:
    paths = Paths.find({"HOLDFAST_HOME": "/h"}, UID)

    assert {paths.state, paths.runtime, paths.config_file, paths.journal} == {
        Path("/h/state"),
        Path("/h/run"),
        Path("/h/config.toml"),
        Path("/h/state/journal.db"),
    }


def test_the_journal_can_be_moved_alone() -> None:
    paths = Paths.find(HOME | {"HOLDFAST_JOURNAL_PATH": "/fast/j.db"}, UID)

    assert paths.journal == Path("/fast/j.db")
    assert paths.state == Path("/home/ada/.local/state/holdfast")


def test_a_home_too_long_for_a_socket_gets_the_same_short_one_for_everyone(tmp_path: Path) -> None:
    long = {"HOLDFAST_HOME": f"/{'deep/' * 30}ümlaut"}

    first, second = Paths.find(long, UID), Paths.find(dict(long), UID)

    assert first.runtime == second.runtime
    assert len(os.fsencode(first.keeper_socket)) <= SOCKET_PATH_LIMIT
    assert first.state == Path(long["HOLDFAST_HOME"]) / "state"
    assert Paths.find({"HOLDFAST_HOME": long["HOLDFAST_HOME"] + "2"}, UID).runtime != first.runtime


def test_the_longest_name_that_is_kept_can_really_be_bound(tmp_path: Path) -> None:
    missing = SOCKET_PATH_LIMIT - len(os.fsencode(tmp_path / "run" / "keeper.sock"))
    home = tmp_path / ("x" * (missing - 1))
    paths = Paths.find({"HOLDFAST_HOME": str(home)}, UID)
    assert len(os.fsencode(paths.keeper_socket)) == SOCKET_PATH_LIMIT
    paths.runtime.mkdir(parents=True)

    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.fspath(paths.keeper_socket))


@pytest.mark.parametrize("variable", ["HOLDFAST_HOME", "HOLDFAST_JOURNAL_PATH"])
def test_a_relative_place_is_refused(variable: str) -> None:
    with pytest.raises(InvalidSetting, match=f"variable {variable}"):
        Paths.find(HOME | {variable: "here"}, UID)


def test_a_missing_home_is_said_plainly() -> None:
    with pytest.raises(InvalidSetting, match="HOLDFAST_HOME"):
        Paths.find({}, UID)


def test_a_relative_xdg_directory_is_ignored_as_xdg_says() -> None:
    assert Paths.find(HOME | {"XDG_STATE_HOME": "rel"}, UID).state.is_relative_to("/home/ada")


def test_a_private_directory_is_made_and_found_again(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b", UID)
    make_private(tmp_path / "a" / "b", UID)

    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_directory_open_to_others_is_refused_with_the_fix(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o755)

    with pytest.raises(PermissionDenied, match=f"chmod 700 {open_to_all}"):
        make_private(open_to_all, UID)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(PermissionDenied, match="link"):
        make_private(tmp_path / "link", UID)


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)

    with pytest.raises(PermissionDenied, match=f"belongs to user {UID}"):
        make_private(tmp_path / "theirs", UID + 1)


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PermissionDenied, match="creating"):
        make_private(tmp_path / "file" / "below", UID)


def test_whoever_is_in_the_way_of_a_directory_is_named() -> None:
    with pytest.raises(PermissionDenied, match="creating") as caught:
        make_private(Path("/proc/holdfast/state"), UID + 1)  # nobody can make anything there

    assert "user 0 owns /proc: set HOLDFAST_HOME" in caught.value.fix


@pytest.fixture
def home_of_another(tmp_path: Path) -> Path:
    """A directory that is not root's, also where the tests are run by root."""
    home = tmp_path / "ada"
    home.mkdir()
    if UID == 0:
        os.chown(home, 12345, -1)
    return home


def test_root_makes_nothing_in_the_home_of_somebody_else(home_of_another: Path) -> None:
    """`sudo hold` with HOME as it was: whoever lives there could make nothing there any more."""
    with pytest.raises(PermissionDenied, match="who would be locked out") as caught:
        make_private(home_of_another / ".local/state/holdfast", 0)

    assert "without sudo" in caught.value.fix
    assert list(home_of_another.iterdir()) == []


def test_root_too_may_use_what_is_for_everybody(home_of_another: Path) -> None:
    home_of_another.chmod(0o1777)
    with nullcontext() if UID == 0 else pytest.raises(PermissionDenied, match="belongs to user"):
        make_private(home_of_another / "holdfast-0", 0)

    assert (home_of_another / "holdfast-0").is_dir()  # made, but root's only by root
