"""What becomes of a session at a start: every row by name."""

import itertools

import pytest

from holdfast.session.lifecycle import State
from holdfast.session.recovery import (
    Do,
    Found,
    Keeper,
    Outcome,
    Policy,
    is_interactive_shell,
    is_to_come_back,
    reconcile,
)

# journal says x keeper holds x log found -> outcome. `program` stands for a row whose
# outcome depends on the policy and on what was running: see the second table.
TABLE = """
nothing      nothing  no   discard  -
nothing      nothing  yes  lose     lost:journal
nothing      living   no   adopt    adopted
nothing      living   yes  adopt    adopted
nothing      ended    no   finish   adopted
nothing      ended    yes  finish   adopted
starting     nothing  no   program  -
starting     nothing  yes  program  -
starting     living   no   adopt    adopted
starting     living   yes  adopt    adopted
starting     ended    no   finish   adopted
starting     ended    yes  finish   adopted
running      nothing  no   program  -
running      nothing  yes  program  -
running      living   no   adopt    adopted
running      living   yes  adopt    adopted
running      ended    no   finish   adopted
running      ended    yes  finish   adopted
terminating  nothing  no   lose     lost:was-ending
terminating  nothing  yes  lose     lost:was-ending
terminating  living   no   adopt    adopted
terminating  living   yes  adopt    adopted
terminating  ended    no   finish   adopted
terminating  ended    yes  finish   adopted
dormant      nothing  no   keep     -
dormant      nothing  yes  keep     -
dormant      living   no   adopt    adopted
dormant      living   yes  adopt    adopted
dormant      ended    no   finish   adopted
dormant      ended    yes  finish   adopted
exited       nothing  no   keep     -
exited       nothing  yes  keep     -
exited       living   no   adopt    adopted
exited       living   yes  adopt    adopted
exited       ended    no   forget   -
exited       ended    yes  forget   -
lost         nothing  no   keep     -
lost         nothing  yes  keep     -
lost         living   no   adopt    adopted
lost         living   yes  adopt    adopted
lost         ended    no   forget   -
lost         ended    yes  forget   -
"""

# policy, what ran, log found, short lives -> outcome
PROGRAMS = """
shell   shell    yes  0  sleep    restored
shell   shell    no   0  sleep    restored
shell   shell    yes  2  sleep    restored
shell   shell    yes  3  lose     lost:restore-loop
shell   program  yes  0  lose     lost:not-rerun
shell   program  no   0  lose     lost:log-missing
always  shell    yes  0  restore  restored
always  program  yes  0  restore  restored
always  program  no   0  restore  restored
always  program  yes  2  restore  restored
always  program  yes  3  lose     lost:restore-loop
always  program  no   4  lose     lost:restore-loop
never   shell    yes  0  lose     lost:never
never   program  yes  0  lose     lost:never
never   program  no   0  lose     lost:log-missing
"""


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def state(word: str) -> State | None:
    return None if word == "nothing" else State(word)


def outcome(do: str, recovery: str) -> Outcome:
    return Outcome(Do(do), None if recovery == "-" else recovery)


@pytest.mark.parametrize("row", rows(TABLE), ids="-".join)
def test_what_becomes_of_a_session(row: list[str]) -> None:
    journal, keeper, log, do, recovery = row
    found = Found(state(journal), Keeper(keeper), log == "yes")

    if do == "program":
        assert reconcile(found).do in (Do.SLEEP, Do.RESTORE, Do.LOSE)
    else:
        assert reconcile(found) == outcome(do, recovery)


@pytest.mark.parametrize("row", rows(TABLE), ids="-".join)
def test_a_mirrored_session_waits_for_its_client_and_is_never_started(row: list[str]) -> None:
    journal, keeper, log, do, recovery = row
    found = Found(state(journal), Keeper(keeper), log == "yes", Policy.ALWAYS, mirrored=True)

    if keeper == "nothing" and journal in ("starting", "running", "terminating"):
        assert reconcile(found) == Outcome(Do.WAIT, "adopted")
    elif journal != "dormant":  # which it never is
        assert reconcile(found) == outcome(do, recovery)


def test_the_table_has_every_row() -> None:
    words = [None, *State]
    wanted = set(itertools.product(words, Keeper, (False, True)))

    assert {(state(j), Keeper(k), log == "yes") for j, k, log, _, _ in rows(TABLE)} == wanted


@pytest.mark.parametrize("row", rows(PROGRAMS), ids="-".join)
def test_what_is_started_again(row: list[str]) -> None:
    policy, what, log, short, do, recovery = row
    found = Found(
        State.RUNNING, Keeper.NOTHING, log == "yes", Policy(policy), what == "shell", int(short)
    )

    assert reconcile(found) == outcome(do, recovery)
    assert reconcile(found._replace(journal=State.STARTING)) == outcome(do, recovery)


@pytest.mark.parametrize("row", rows(PROGRAMS), ids="-".join)
def test_what_a_shutdown_ends_comes_back_by_the_same_rules(row: list[str]) -> None:
    policy, what, log, short, do, _ = row
    ended = Found(
        State.EXITED, Keeper.ENDED, log == "yes", Policy(policy), what == "shell", int(short)
    )
    wanted = do in ("sleep", "restore")

    assert is_to_come_back(ended) is wanted
    slept = ended._replace(journal=State.DORMANT, keeper=Keeper.NOTHING)
    if wanted:
        assert reconcile(slept).do is (Do.RESTORE if policy == "always" else Do.KEEP)


@pytest.mark.parametrize(
    "line",
    [
        "bash",
        "/bin/sh",
        "-zsh",
        "bash -l",
        "bash -il",
        "fish --login",
        "bash --rcfile x",
        "bash --norc -i",
        "zsh -o extendedglob",
        "bash -O extglob -i",
        "fish -C ls",
        "bash --",
        "nu",
        "sh -i -",
    ],
)
def test_a_shell_that_waits_for_keys(line: str) -> None:
    assert is_interactive_shell(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "make",
        "bash -c ls",
        "bash -lc ls",
        "sh script.sh",
        "bash -i script",
        "bash -- script",
        "fish --command ls",
        "fish --command=ls",
        "nu --commands ls",
        "ssh host",
        "/usr/bin/basher",
        "python -i",
        "bash -o pipefail script",
        "zsh -ec ls",
    ],
)
def test_what_must_not_be_run_again_unasked(line: str) -> None:
    assert not is_interactive_shell(line.split())
