"""The link to the agent: it leads to whoever owns the session, and never in a circle."""

from pathlib import Path

import pytest

from holdfast.terminal.agent import STEPS, VARIABLE, lend_agent


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """The link of a session that was started with an agent."""
    found = tmp_path / "link"
    found.symlink_to("/first/agent")
    return found


def target(link: Path) -> str:
    assert [each.name for each in link.parent.glob("link*")] == ["link"]  # nothing is left beside
    return str(link.readlink())


def test_it_leads_to_the_agent_of_who_comes(link: Path) -> None:
    lend_agent(link, {VARIABLE: "/second/agent"})

    assert target(link) == "/second/agent"


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}])
def test_who_has_none_leaves_it(link: Path, environ: dict[str, str]) -> None:
    lend_agent(link, environ)

    assert target(link) == "/first/agent"


def test_a_session_without_one_gets_none(tmp_path: Path) -> None:
    lend_agent(tmp_path / "link", {VARIABLE: "/second/agent"})

    assert list(tmp_path.iterdir()) == []


def test_what_is_no_link_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "link"
    file.write_text("mine")

    lend_agent(file, {VARIABLE: "/second/agent"})

    assert file.read_text() == "mine"


def test_who_attaches_from_inside_has_the_link_itself(link: Path) -> None:
    """T25."""
    lend_agent(link, {VARIABLE: str(link)})

    assert target(link) == "/first/agent"


def test_a_link_that_leads_back_is_not_followed_for_ever(link: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.symlink_to(link.name)
    lend_agent(link, {VARIABLE: str(other)})
    assert target(link) == "/first/agent"

    for number in range(STEPS):
        (tmp_path / f"far{number}").symlink_to(f"far{number + 1}")
    lend_agent(link, {VARIABLE: str(tmp_path / "far0")})
    assert target(link) == "/first/agent"


def test_a_link_to_an_agent_is_an_agent(link: Path, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to("/second/agent")

    lend_agent(link, {VARIABLE: str(tmp_path / "other")})

    assert target(link) == str(tmp_path / "other")
