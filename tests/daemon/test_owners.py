"""Who may change a session: two clients, real connections, a daemon that dies in between."""

import os
import signal
import socket
from functools import partial
from pathlib import Path

import pytest

from holdfast.errors import OwnerRequired
from holdfast.protocol.messages import (
    Claim,
    Get,
    Input,
    Kill,
    Release,
    Resize,
    Role,
    SessionInfo,
    Takeover,
)
from holdfast.store import Journal
from tests.support.asking import Client, connect
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker

pytestmark = pytest.mark.slow


def client_of(home: Home, label: str) -> Client:
    return connect(home.paths, home.environ, label=label)


def cat(home: Home, client: Client) -> SessionInfo:
    return home.create(client, "sh", "-c", "stty raw -echo; echo ready; exec cat")


def type_in(client: Client, session: str, data: bytes, at: int = 0) -> int:
    return client.call(Input(session=session, offset=at, data=data)).end


def refusal(client: Client, session: str) -> str:
    """Return why this client may not type there."""
    with pytest.raises(OwnerRequired) as caught:
        type_in(client, session, b"x")
    return caught.value.what


def has_answered(client: Client, number: int) -> bool:
    return any(reply.number == number for reply in client.replies())


def test_who_creates_owns_and_the_other_is_told_who_and_how(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h") as home,
        client_of(home, "terminal pts/3") as one,
        client_of(home, "terminal pts/4") as two,
    ):
        session = cat(home, one)
        assert (session.owner, session.owned) == ("terminal pts/3", True)

        with pytest.raises(OwnerRequired) as refused:
            type_in(two, session.id, b"x")
        assert "terminal pts/3" in refused.value.what
        assert "--takeover" in refused.value.fix
        for change in (Kill(session=session.id), Claim(session=session.id)):
            with pytest.raises(OwnerRequired):
                two.call(change)
        seen = two.call(Get(session=session.id))
        assert (seen.state, seen.owner, seen.owned) == ("running", "terminal pts/3", False)
        type_in(one, session.id, b"mine")
        until(lambda: home.output(two, session.id).endswith(b"mine"), "the owner's text")


def test_a_goodbye_leaves_it_free_at_once(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, client_of(home, "two") as two:
        with client_of(home, "one") as one:
            session = cat(home, one)
        type_in(two, session.id, b"x")
        assert two.call(Get(session=session.id)).owner == "two"
        two.call(Release(session=session.id))
        assert two.call(Get(session=session.id)).owner is None


def test_a_takeover_tells_the_loser_and_refuses_what_it_still_types(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h") as home,
        client_of(home, "one") as one,
        client_of(home, "two") as two,
    ):
        session = home.create(one, "sh", "-c", "stty raw -echo; echo ready; exec sleep 600")
        until(lambda: b"ready" in home.output(two, session.id), "the program")
        waiting = one.ask(Input(session=session.id, offset=0, data=bytes(100_000)))

        taken = two.call(Takeover(session=session.id, reason="it hangs"))

        assert (taken.owner, taken.owned) == ("two", True)
        until(partial(has_answered, one, waiting), "the refusal")
        with pytest.raises(OwnerRequired):
            one.call(Claim(session=session.id))
        two.call(Kill(session=session.id, now=True))


def test_a_connection_that_breaks_keeps_its_claim_for_a_while(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, client_of(home, "two") as two:
        one = client_of(home, "one")
        session = cat(home, one)
        with socket.fromfd(one.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as same:
            same.shutdown(socket.SHUT_RDWR)  # no goodbye: as after kill -9

        # Its end is heard at the daemon's next look; until then it is refused as by an owner.
        until(lambda: "away, keeps it for" in refusal(two, session.id), "it to be away")
        two.call(Input(session=session.id, offset=0, data=b"x", takeover=True))
        assert two.call(Get(session=session.id)).owner == "two"
        one.close()


def test_a_claim_outlives_the_daemon_and_its_client_comes_back_to_it(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h") as home,
        client_of(home, "one") as one,
        client_of(home, "two") as two,
    ):
        session = cat(home, one)
        until(lambda: b"ready" in home.output(one, session.id), "the program")
        home.next_daemon(home.kill_daemon())

        with pytest.raises(OwnerRequired):
            type_in(two, session.id, b"x")
        assert type_in(one, session.id, b"mine") == 4
        assert one.call(Get(session=session.id)).owned


def test_the_owner_decides_the_size_and_the_next_owner_brings_its_own(tmp_path: Path) -> None:
    """T24."""
    with (
        running_home(tmp_path / "h") as home,
        client_of(home, "one") as one,
        client_of(home, "two") as two,
    ):
        session = cat(home, one)
        one.call(Resize(session=session.id, cols=100, rows=30))
        observed = two.call(Resize(session=session.id, cols=40, rows=20))
        assert (observed.cols, observed.rows) == (100, 30)

        two.call(Takeover(session=session.id))

        info = one.call(Get(session=session.id))
        assert (info.cols, info.rows) == (40, 20)


def test_every_change_of_owner_is_an_event_and_in_the_audit(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with client_of(home, "one") as one, client_of(home, "two") as two:
            session = cat(home, one)
            two.call(Takeover(session=session.id, reason="my turn"))
            two.call(Kill(session=session.id, now=True))
            home.ended(two, session.id)
        home.stop()
        with Journal.open(home.paths.journal) as journal:
            events = [e for e in journal.events(0, 100, session.id) if e.kind == "owner_changed"]
            audit = journal.audit(session.id, 100)

        told = [(e.facts["owner"], e.facts["previous"], e.facts["reason"]) for e in events]
        assert told == [
            ("one", "", "created"),
            ("two", "one", "taken over"),
            ("", "two", "session ended"),
        ]
        assert events[1].facts["note"] == "my turn"
        assert [(row.who, row.what) for row in audit] == [
            ("one", "owner_changed"),
            ("two", "owner_changed"),
            ("two", "owner_changed"),
        ]


def test_of_many_who_take_over_at_once_one_owns_it(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, client_of(home, "first") as first:
        session = cat(home, first)
        clients = [client_of(home, f"client {n}") for n in range(8)]
        numbers = [client.ask(Takeover(session=session.id)) for client in clients]
        for client, number in zip(clients, numbers, strict=True):
            until(partial(has_answered, client, number), "a reply")
        owners = [client.call(Get(session=session.id)) for client in clients]

        assert len({info.owner for info in owners}) == 1
        assert sum(info.owned for info in owners) == 1
        for client in clients:
            client.close()


def test_the_command_line_says_how_to_take_over(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, client_of(home, "terminal pts/9") as one:
        session = cat(home, one)
        said = home.failing("send", session.id, "text")
        assert "terminal pts/9" in said
        assert "--takeover" in said
        home.hold("send", session.id, "text", "--takeover")
        until(lambda: home.output(one, session.id).endswith(b"text"), "the text")
        home.hold("kill", session.id, "--takeover")
        assert home.state(one, session.id) == "exited"


def test_a_goodbye_counts_however_much_is_still_being_said_to_who_leaves(tmp_path: Path) -> None:
    """What is written to who has gone fails; what they said last is still to be read."""
    printed = tmp_path / "printed"
    prints = f"while :; do echo x; echo x >> {printed}; sleep 0.002; done"
    with running_home(tmp_path / "h") as home, home.client() as other:
        session = home.create(other, "sh", "-c", prints).id
        other.call(Release(session=session))
        for turn in range(10):
            leaving = Looker(home, session, client_id=f"leaving-{turn}", role=Role.CONTROL)
            leaving.ask(Claim(session=session), SessionInfo)
            daemon = home.running()["daemon"]["pid"]
            os.kill(daemon, signal.SIGSTOP)
            try:
                size = printed.stat().st_size
                until(lambda size=size: printed.stat().st_size > size + 10, "output")  # type: ignore[misc]
                leaving.link.close()
            finally:
                os.kill(daemon, signal.SIGCONT)

            assert other.call(Claim(session=session)).owned  # else it is kept for who comes back
            other.call(Release(session=session))
