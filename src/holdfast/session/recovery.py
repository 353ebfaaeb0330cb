"""What becomes of a session when a daemon starts: one table of what is found.

The journal says what a session was, the keeper what it holds, the disk whether there is a
log. From the three follows one outcome; everything the table names is a row of a test.
"""

import enum
from typing import NamedTuple

from holdfast.session.lifecycle import LIVE, OVER, State

PROVEN_AFTER = 10.0  # seconds; a restored program that ended sooner has achieved nothing
LOOP_LIMIT = 3  # such lives running, after which nothing is started again unasked


class Policy(enum.Enum):
    """Which programs may be started again unasked after a reboot."""

    SHELL = "shell"  # an interactive shell; anything else might deploy, delete or pay
    ALWAYS = "always"
    NEVER = "never"


_POLICIES = {policy.value: policy for policy in Policy}


def policy_of(word: str) -> Policy:
    """Return the policy of that name; what only a newer version knows starts nothing."""
    return _POLICIES.get(word, Policy.NEVER)


class Keeper(enum.Enum):
    """What the keeper holds of a session."""

    NOTHING = "nothing"
    LIVING = "living"
    ENDED = "ended"  # the status of a program that has ended


class Do(enum.Enum):
    """What the daemon does about it."""

    ADOPT = "adopt"  # go on: as far as the program knows nothing happened
    FINISH = "finish"  # take in its last output and note its end
    FORGET = "forget"  # its end is noted, but the keeper has not heard so
    KEEP = "keep"  # nothing has changed
    SLEEP = "sleep"  # dormant: it is started when somebody wants it
    RESTORE = "restore"  # it is started now
    WAIT = "wait"  # mirrored: its program runs elsewhere, its client may come back
    LOSE = "lose"  # readable, and not started again unasked
    DISCARD = "discard"  # nothing is left of it


class Outcome(NamedTuple):
    """What to do, and how it is called in `recovery`."""

    do: Do
    recovery: str | None = None


class Found(NamedTuple):
    """What there is of one session."""

    journal: State | None
    keeper: Keeper
    log: bool
    policy: Policy = Policy.SHELL
    is_shell: bool = False
    short_lives: int = 0
    mirrored: bool = False


def reconcile(found: Found) -> Outcome:
    """Return what becomes of a session."""
    if found.keeper is Keeper.LIVING:
        return Outcome(Do.ADOPT, "adopted")
    if found.keeper is Keeper.ENDED:
        noted = found.journal in OVER
        return Outcome(Do.FORGET) if noted else Outcome(Do.FINISH, "adopted")
    return _left_alone(found)


def _left_alone(found: Found) -> Outcome:
    """Return what becomes of a session that the keeper does not hold."""
    if found.journal is None:
        # The directory alone: its row was in a journal that is no more.
        return Outcome(Do.LOSE, "lost:journal") if found.log else Outcome(Do.DISCARD)
    if found.mirrored and found.journal in LIVE:
        return Outcome(Do.WAIT, "adopted")
    if found.journal is State.TERMINATING:
        return Outcome(Do.LOSE, "lost:was-ending")
    # Dormant since a shutdown in good order: only what is always wanted starts by itself.
    sleeps = found.journal is State.DORMANT and found.policy is not Policy.ALWAYS
    if sleeps or found.journal in OVER:
        return Outcome(Do.KEEP)
    return _by_policy(found)


def is_to_come_back(found: Found) -> bool:
    """Whether a program that a shutdown ends is to be there again afterwards."""
    running = found._replace(journal=State.RUNNING, keeper=Keeper.NOTHING)
    return reconcile(running).do in (Do.SLEEP, Do.RESTORE)


def _by_policy(found: Found) -> Outcome:
    if found.short_lives >= LOOP_LIMIT:
        return Outcome(Do.LOSE, "lost:restore-loop")
    if found.policy is Policy.ALWAYS:
        return Outcome(Do.RESTORE, "restored")
    if found.policy is Policy.SHELL and found.is_shell:
        return Outcome(Do.SLEEP, "restored")
    if not found.log:
        return Outcome(Do.LOSE, "lost:log-missing")
    return Outcome(Do.LOSE, "lost:never" if found.policy is Policy.NEVER else "lost:not-rerun")


SHELLS = frozenset(
    [
        "ash",
        "bash",
        "csh",
        "dash",
        "elvish",
        "fish",
        "ksh",
        "ksh93",
        "mksh",
        "nu",
        "oksh",
        "osh",
        "pwsh",
        "sh",
        "tcsh",
        "xonsh",
        "yash",
        "zsh",
    ]
)
TAKES_VALUE = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file", "-C", "--init-command"})


def is_interactive_shell(argv: list[str]) -> bool:
    """Whether a command line is a shell that waits for what is typed: no `-c`, no script."""
    if not argv or argv[0].rsplit("/", 1)[-1].lstrip("-") not in SHELLS:
        return False
    words = iter(argv[1:])
    for word in words:
        if word in TAKES_VALUE:
            next(words, None)
        elif word in ("-", "--"):
            return next(words, None) is None
        elif word.startswith("--"):
            if word.partition("=")[0] in ("--command", "--commands"):
                return False
        elif not word.startswith(("-", "+")) or (word[0] == "-" and "c" in word[1:]):
            return False
    return True
