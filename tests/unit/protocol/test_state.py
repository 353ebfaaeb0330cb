"""The table of a connection's life, row by row."""

import pytest

from holdfast.errors import AlreadyAuthenticated, NotAuthenticated, RemoteProtocolError
from holdfast.protocol.state import SPEAKERS, TRANSITIONS, End, State, Step, advance, refusal

HS, GR, OP, CG, CD = State
HELLO, WELCOME, REQUEST, NOTICE, REPLY, EVENT, DATA, GOODBYE, FATAL, END = Step

EXPECTED: dict[State, dict[Step, State]] = {
    HS: {HELLO: GR, FATAL: CG, END: CD},
    GR: {WELCOME: OP, FATAL: CG, END: CD},
    OP: {
        REQUEST: OP, NOTICE: OP, REPLY: OP, EVENT: OP, DATA: OP,
        GOODBYE: CG, FATAL: CG, END: CD,
    },
    CG: {REPLY: CG, EVENT: CG, DATA: CG, FATAL: CG, END: CD},
    CD: {},
}  # fmt: skip

BY_CLIENT = {HELLO, REQUEST, NOTICE, GOODBYE}
BY_DAEMON = {WELCOME, REPLY, EVENT, FATAL}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("speaker", End)
def test_every_cell_of_the_table(state: State, step: Step, speaker: End) -> None:
    silenced = step in (BY_DAEMON if speaker is End.CLIENT else BY_CLIENT)
    expected = None if silenced else EXPECTED[state].get(step)

    assert advance(state, step, speaker) is expected


def test_the_table_names_every_state_and_every_step() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set(SPEAKERS) == set(Step)


def test_closed_is_the_only_end_and_every_state_reaches_it() -> None:
    assert [state for state, row in TRANSITIONS.items() if not row] == [CD]
    assert all(row[END] is CD for state, row in TRANSITIONS.items() if state is not CD)


@pytest.mark.parametrize(
    ("state", "step", "error"),
    [
        (HS, REQUEST, NotAuthenticated),
        (HS, NOTICE, NotAuthenticated),
        (GR, REQUEST, NotAuthenticated),
        (OP, HELLO, AlreadyAuthenticated),
        (HS, DATA, RemoteProtocolError),
        (CG, REQUEST, RemoteProtocolError),
        (OP, WELCOME, RemoteProtocolError),
    ],
)
def test_an_illegal_step_is_refused_with_the_error_that_names_it(
    state: State, step: Step, error: type[Exception]
) -> None:
    assert type(refusal(state, step, kind="list", client_id="me")) is error
