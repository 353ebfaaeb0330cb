"""What is written down of an environment, and how it comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.session.environment import Kept, kept, looks_secret, rebuilt

OWN = {"HOME": "/home/ada", "PATH": "/bin", "LANG": "C", "EDITOR": "vi"}


def test_only_the_difference_is_kept() -> None:
    caller = {**OWN, "PATH": "/opt/bin:/bin", "VIRTUAL_ENV": "/v"}
    del caller["EDITOR"]

    found = kept(caller, OWN)

    assert found == Kept({"PATH": "/opt/bin:/bin", "VIRTUAL_ENV": "/v"}, ["EDITOR"])
    assert rebuilt(found, OWN) == caller


@pytest.mark.parametrize(
    "name",
    ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "my_api_key", "SSH_AUTH_SOCK",
     "DATABASE_URL", "SENTRY_DSN", "X_CREDENTIALS", "SESSION_COOKIE"],
)  # fmt: skip
def test_what_looks_like_a_secret_is_never_kept(name: str) -> None:
    assert looks_secret(name)
    assert kept({**OWN, name: "hunter2"}, OWN).changed == {}


@pytest.mark.parametrize("name", ["PATH", "LANG", "TERM", "EDITOR", "VIRTUAL_ENV", "GOPATH"])
def test_what_a_program_needs_is_kept(name: str) -> None:
    assert kept({name: "x"}, {}).changed == {name: "x"}


def test_what_belongs_to_one_terminal_or_one_session_does_not_come_back() -> None:
    stale = {"COLUMNS": "80", "HOLDFAST_SESSION_ID": "abc123", "PWD": "/gone", "SHLVL": "3"}

    assert rebuilt(kept({**OWN, **stale}, OWN), {**OWN, **stale}) == OWN


def test_it_goes_through_json() -> None:
    found = kept({"A": "b\udcff"}, {"C": "d"})

    assert Kept.from_json(found.to_json()) == found


NAMES = st.sampled_from(["A", "B", "C", "D", "PATH"])
ENVIRONMENTS = st.dictionaries(NAMES, st.text(max_size=3), max_size=5)


@given(ENVIRONMENTS, ENVIRONMENTS)
def test_any_environment_comes_back(caller: dict[str, str], own: dict[str, str]) -> None:
    assert rebuilt(kept(caller, own), own) == caller
