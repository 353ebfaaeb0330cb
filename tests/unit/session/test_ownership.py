"""Who owns a session: every cell of the table, every rule by its name, and all of it at random."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.errors import InvalidTransition
from holdfast.session.claims import Client, Decision, Lost, OwnerChanged, Reason
from holdfast.session.ownership import GRACE, Event, Ownership, State, Whose, advance
from holdfast.types import Size

#     claimed     taken over  heard      given up     broke      restarted    expired      ended
TABLE = """
free  held:asker  held:asker  -          -            -          free:nobody  -            over:nobody
held  held:same   held:asker  held:same  free:nobody  away:same  away:same    -            over:nobody
away  away:same   held:asker  held:same  free:nobody  -          away:same    free:nobody  over:nobody
over  -           -           -          -            -          over:nobody  -            over:nobody
"""  # noqa: E501 - a table
EVENTS = (
    Event.CLAIMED,
    Event.TAKEN_OVER,
    Event.OWNER_HEARD,
    Event.GIVEN_UP,
    Event.BROKE,
    Event.RESTARTED,
    Event.EXPIRED,
    Event.ENDED,
)


def cells() -> list[tuple[State, Event, str]]:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    return [
        (State(row[0]), event, wanted)
        for row in rows
        for event, wanted in zip(EVENTS, row[1:], strict=True)
    ]


def test_the_table_spells_out_every_state_and_event() -> None:
    assert {(state, event) for state, event, _ in cells()} == {(s, e) for s in State for e in Event}


@pytest.mark.parametrize(("state", "event", "wanted"), cells())
def test_a_claim_moves_as_the_table_says(state: State, event: Event, wanted: str) -> None:
    if wanted == "-":
        with pytest.raises(InvalidTransition) as caught:
            advance(state, event)
        assert (caught.value.state, caught.value.event) == (state.value, event.value)
    else:
        following, _, whose = wanted.partition(":")
        assert advance(state, event) == (State(following), Whose(whose))


# -- the rules, one by one

ADA = Client("ada", "terminal pts/3", 1)
BOB = Client("bob", "browser", 2)
SMALL, LARGE = Size(80, 24), Size(200, 60)


def held(by: Client = ADA) -> Ownership:
    ownership = Ownership("k3v9qd")
    ownership.claim(by, now=0.0, reason=Reason.CREATED)
    return ownership


def away(since: float = 0.0) -> Ownership:
    ownership = held()
    ownership.broke(ADA.connection, now=since)
    return ownership


def said(decision: Decision) -> list[tuple[str, str, Reason]]:
    """Each change as (owner after it, owner before it, why)."""
    return [
        (
            change.owner.client_id if change.owner else "",
            change.previous.client_id if change.previous else "",
            change.reason,
        )
        for change in decision.events
    ]


@pytest.mark.parametrize("reason", [Reason.CREATED, Reason.CLAIMED, Reason.CHANGED])
def test_a_free_session_goes_to_the_first_who_asks(reason: Reason) -> None:
    ownership = Ownership("k3v9qd")

    decision = ownership.claim(ADA, now=0.0, reason=reason)

    assert decision.granted
    assert decision.events == (OwnerChanged("k3v9qd", ADA.owner, None, reason),)
    assert ownership.owner == ADA.owner


def test_what_its_owner_asks_is_granted_without_a_word() -> None:
    assert held().claim(ADA, now=1.0) == Decision()
    assert held().takeover(ADA, now=1.0) == Decision()


def test_another_client_is_refused_with_the_owners_label_and_the_way_out() -> None:
    ownership = held()

    decision = ownership.claim(BOB, now=1.0)

    assert decision.refusal is not None
    assert not decision.granted
    assert decision.refusal.what == "session 'k3v9qd' is owned by terminal pts/3"
    assert "--takeover" in decision.refusal.fix
    assert (decision.events, ownership.owner) == ((), ADA.owner)


def test_an_owner_without_a_label_is_named_by_its_id() -> None:
    decision = held(Client("script-7", "", 1)).claim(BOB, now=1.0)

    assert decision.refusal is not None
    assert decision.refusal.owner == "script-7"


def test_who_is_refused_for_an_owner_that_is_away_hears_how_long() -> None:
    decision = away(since=100.0).claim(BOB, now=117.5)

    assert decision.refusal is not None
    assert decision.refusal.owner == "terminal pts/3 (away, keeps it for 13 s)"


def test_a_takeover_moves_the_session_and_tells_the_loser_why() -> None:
    ownership = held()

    decision = ownership.takeover(BOB, now=1.0, note="the build must stop")

    changed = OwnerChanged("k3v9qd", BOB.owner, ADA.owner, Reason.TAKEN_OVER, "the build must stop")
    assert decision.events == (changed,)
    assert decision.lost == Lost(1, "browser took session k3v9qd over: the build must stop")
    assert ownership.owner == BOB.owner


def test_who_lost_a_session_observes_and_is_refused() -> None:
    ownership = held()
    ownership.takeover(BOB, now=1.0)

    assert not ownership.claim(ADA, now=2.0).granted


def test_a_takeover_from_an_owner_that_is_away_tells_nobody() -> None:
    decision = away().takeover(BOB, now=1.0)

    assert decision.lost is None
    assert said(decision) == [("bob", "ada", Reason.TAKEN_OVER)]


def test_a_released_session_is_free() -> None:
    ownership = held()

    assert said(ownership.release(ADA)) == [("", "ada", Reason.RELEASED)]
    assert ownership.claim(BOB, now=1.0).granted


def test_nobody_releases_what_another_owns() -> None:
    ownership = held()

    assert ownership.release(BOB) == Decision()
    assert ownership.owner == ADA.owner


def test_goodbye_frees_at_once() -> None:
    ownership = held()

    assert said(ownership.goodbye(ADA.connection)) == [("", "ada", Reason.GOODBYE)]
    assert ownership.deadline() is None
    assert ownership.claim(BOB, now=0.0).granted


def test_a_break_keeps_the_claim_for_the_grace_and_not_longer() -> None:
    ownership = away(since=100.0)

    assert ownership.deadline() == 100.0 + GRACE
    assert ownership.expire(129.9) == Decision()
    assert said(ownership.expire(130.0)) == [("", "ada", Reason.EXPIRED)]
    assert ownership.expire(130.0) == Decision()


def test_who_comes_back_in_time_owns_the_session_by_its_new_connection() -> None:
    ownership = away()

    assert ownership.returned(ADA._replace(connection=7), now=29.9) == Decision()
    assert (ownership.state, ownership.deadline()) == (State.HELD, None)
    assert said(ownership.goodbye(7)) == [("", "ada", Reason.GOODBYE)]


def test_who_comes_back_too_late_does_so_for_nothing_although_no_timer_has_fired() -> None:
    ownership = away()

    decision = ownership.returned(ADA._replace(connection=7), now=30.0)

    assert said(decision) == [("", "ada", Reason.EXPIRED)]
    assert ownership.owner is None


def test_a_claim_after_the_grace_is_granted_although_no_timer_has_fired() -> None:
    decision = away().claim(BOB, now=30.0)

    assert decision.granted
    assert said(decision) == [("", "ada", Reason.EXPIRED), ("bob", "", Reason.CLAIMED)]


def test_another_client_that_connects_gets_nothing() -> None:
    ownership = away()

    assert ownership.returned(BOB, now=1.0) == Decision()
    assert ownership.owner == ADA.owner


@pytest.mark.parametrize("how", ["goodbye", "break"])
def test_a_stale_disconnect_never_affects_a_newer_connection(how: str) -> None:
    """P3: the newer connection of a client was there before the end of the older was seen."""
    ownership = held()
    ownership.returned(ADA._replace(connection=7), now=1.0)

    decision = ownership.goodbye(1) if how == "goodbye" else ownership.broke(1, now=2.0)

    assert decision == Decision()
    assert (ownership.state, ownership.owner) == (State.HELD, ADA.owner)


def test_a_late_request_of_a_replaced_connection_does_not_bring_it_back() -> None:
    ownership = held()
    ownership.returned(ADA._replace(connection=7), now=1.0)

    ownership.claim(ADA, now=2.0)
    ownership.broke(ADA.connection, now=3.0)

    assert ownership.state is State.HELD


def test_an_owner_that_comes_back_is_shown_as_it_calls_itself_now() -> None:
    ownership = away()

    ownership.returned(Client("ada", "terminal pts/9", 7), now=1.0)

    assert ownership.owner is not None
    assert ownership.owner.shown == "terminal pts/9"


@pytest.mark.parametrize("before", [held(), away(since=-29.0)], ids=["held", "away"])
def test_a_new_daemon_keeps_a_claim_and_counts_its_time_anew(before: Ownership) -> None:
    after = Ownership.after_restart("k3v9qd", before.to_dict(), now=500.0)

    assert (after.owner, after.state) == (ADA.owner, State.AWAY)
    assert after.deadline() == 500.0 + GRACE


def test_connections_of_another_daemon_are_not_ours() -> None:
    after = Ownership.after_restart("k3v9qd", held().to_dict(), now=0.0)

    assert after.goodbye(ADA.connection) == Decision()
    assert after.owner == ADA.owner


@pytest.mark.parametrize("facts", [{}, {"state": "free"}, {"state": "never heard of"}])
def test_what_nobody_owned_is_free_after_a_restart(facts: dict[str, str]) -> None:
    after = Ownership.after_restart("k3v9qd", facts, now=0.0)

    assert (after.state, after.owner, after.deadline()) == (State.FREE, None, None)


def test_a_session_that_ends_is_nobodys_and_stays_so() -> None:
    ownership = held()

    assert said(ownership.ended()) == [("", "ada", Reason.ENDED)]
    assert ownership.ended() == Decision()
    after = Ownership.after_restart("k3v9qd", ownership.to_dict(), now=0.0)
    with pytest.raises(InvalidTransition):
        after.claim(BOB, now=1.0)


# -- sizes


def test_the_owners_size_is_the_sessions_size() -> None:
    assert held().remember_size(ADA, LARGE) == LARGE


def test_an_observers_size_counts_once_it_owns_the_session() -> None:
    ownership = held()

    assert ownership.remember_size(BOB, SMALL) is None
    assert ownership.remember_size(BOB, LARGE) is None
    assert ownership.takeover(BOB, now=1.0).size == LARGE


def test_an_owner_without_a_terminal_changes_no_size() -> None:
    assert held().takeover(BOB, now=1.0).size is None


@pytest.mark.parametrize("how", ["goodbye", "break"])
def test_the_size_of_a_connection_that_ended_is_forgotten(how: str) -> None:
    ownership = held()
    ownership.remember_size(BOB, LARGE)

    if how == "goodbye":
        ownership.goodbye(BOB.connection)
    else:
        ownership.broke(BOB.connection, now=1.0)

    assert ownership.takeover(BOB, now=1.0).size is None


# -- all of it together

NAMES = st.sampled_from(["ada", "bob", "cyd"])


class Claims(RuleBasedStateMachine):
    """Clients connect, break, come back and quarrel; the daemon dies; time passes.

    The model knows no states: who owns the session, by which connection, and when an owner
    without connection loses it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.real = Ownership("k3v9qd")
        self.owner = ""
        self.bound = 0
        self.until: float | None = None
        self.newest: dict[str, int] = {}
        self.open: dict[int, str] = {}  # also those that a newer connection has replaced
        self.sizes: dict[int, Size] = {}
        self.numbers = 0
        self.told = ""  # the owner, for one who knows only the events

    def client(self, name: str) -> Client:
        if name not in self.newest:
            self.connects(name)
        return Client(name, f"{name}'s terminal", self.newest[name])

    def connects(self, name: str) -> None:
        self.numbers += 1
        self.newest[name], self.open[self.numbers] = self.numbers, name
        client = Client(name, f"{name}'s terminal", self.numbers)
        self.heard(self.real.returned(client, now=self.now))
        self.time_is_up()
        if self.owner == name:
            self.bound, self.until = self.numbers, None

    def heard(self, decision: Decision) -> None:
        for after, before, _ in said(decision):
            assert before == self.told
            assert after != before
            self.told = after

    def time_is_up(self) -> None:
        if self.until is not None and self.now >= self.until:
            self.owner, self.bound, self.until = "", 0, None

    def leaves(self, connection: int) -> None:
        name = self.open.pop(connection)
        self.sizes.pop(connection, None)
        if self.newest.get(name) == connection:
            del self.newest[name]

    @rule(name=NAMES)
    def connect(self, name: str) -> None:
        self.connects(name)

    @rule(name=NAMES)
    def claim(self, name: str) -> None:
        self.claims(self.client(name))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def claim_by_any_connection(self, data: st.DataObject) -> None:
        connection = data.draw(st.sampled_from(sorted(self.open)))
        name = self.open[connection]
        self.claims(Client(name, f"{name}'s terminal", connection))

    def claims(self, client: Client) -> None:
        decision = self.real.claim(client, now=self.now)
        self.heard(decision)
        self.time_is_up()
        gained = not self.owner
        assert decision.granted == (self.owner in ("", client.client_id))
        assert decision.size == (self.sizes.get(client.connection) if gained else None)
        if decision.granted:
            self.owner, self.until = client.client_id, None
            self.bound = max(self.bound, client.connection)

    @rule(name=NAMES, note=st.sampled_from(["", "why not"]))
    def takeover(self, name: str, note: str) -> None:
        client = self.client(name)
        decision = self.real.takeover(client, now=self.now, note=note)
        self.heard(decision)
        self.time_is_up()
        loser = self.bound if self.owner != name else 0
        assert decision.granted
        assert (decision.lost.connection if decision.lost else 0) == loser
        assert decision.size == (self.sizes.get(client.connection) if self.owner != name else None)
        bound = self.bound if self.owner == name else 0
        self.owner, self.bound, self.until = name, max(bound, client.connection), None

    @rule(name=NAMES)
    def release(self, name: str) -> None:
        self.heard(self.real.release(self.client(name)))
        if self.owner == name:
            self.owner, self.bound, self.until = "", 0, None

    @rule(name=NAMES, cols=st.integers(1, 300))
    def resize(self, name: str, cols: int) -> None:
        client, size = self.client(name), Size(cols, 24)
        self.sizes[client.connection] = size
        assert self.real.remember_size(client, size) == (size if self.owner == name else None)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def goodbye(self, data: st.DataObject) -> None:
        connection = data.draw(st.sampled_from(sorted(self.open)))
        self.heard(self.real.goodbye(connection))
        self.leaves(connection)
        if self.bound == connection:
            self.owner, self.bound = "", 0

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def breaks(self, data: st.DataObject) -> None:
        connection = data.draw(st.sampled_from(sorted(self.open)))
        self.heard(self.real.broke(connection, now=self.now))
        self.leaves(connection)
        if self.bound == connection:
            self.bound, self.until = 0, self.now + GRACE

    @rule()
    def restart(self) -> None:
        self.real = Ownership.after_restart("k3v9qd", self.real.to_dict(), now=self.now)
        self.open.clear()
        self.newest.clear()
        self.sizes.clear()
        self.bound, self.until = 0, self.now + GRACE if self.owner else None

    @rule(passed=st.sampled_from([0.1, 10.0, 29.9, 30.0, 100.0]), looks=st.booleans())
    def time(self, passed: float, looks: bool) -> None:
        self.now += passed
        if looks:
            self.heard(self.real.expire(self.now))
            self.time_is_up()

    @invariant()
    def they_agree(self) -> None:
        assert (self.real.owner.client_id if self.real.owner else "") == self.owner == self.told
        assert self.real.deadline() == self.until
        if self.bound:
            assert self.open[self.bound] == self.owner


TestClaims = Claims.TestCase
TestClaims.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
