"""How a signal may be written, and what is no signal."""

import signal

import pytest

from holdfast.errors import InvalidSignal
from holdfast.session.signals import SIGNALS, parse_signal

NUMBERS = signal.Signals.__members__


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("prefix", ["", "SIG", "sig", "Sig"])
def test_a_signal_is_written_with_or_without_sig_in_any_case(prefix: str, name: str) -> None:
    wanted = NUMBERS[f"SIG{name}"]

    assert parse_signal(prefix + name, NUMBERS) == wanted
    assert parse_signal(prefix + name.lower(), NUMBERS) == wanted


def test_the_numbers_are_those_of_the_system_that_sends() -> None:
    assert parse_signal("usr1", {"SIGUSR1": 30}) == 30


def test_the_signals_are_those_of_the_documentation() -> None:
    assert " ".join(SIGNALS) == "HUP INT QUIT TERM KILL USR1 USR2 CONT STOP TSTP WINCH"


@pytest.mark.parametrize(
    "text",
    ["", "SIG", "SIGSIGTERM", "TERMINATE", "15", "SEGV", "SIGALRM", " TERM", "TERM\n", "u\u017fr1"],
)
def test_anything_else_is_refused_with_the_list(text: str) -> None:
    with pytest.raises(InvalidSignal) as caught:
        parse_signal(text, NUMBERS)

    assert caught.value.value == text
    assert "HUP, INT, QUIT, TERM" in caught.value.fix
