"""Who gets a place, who has to leave, and that a late end hurts nobody."""

from holdfast.daemon.clients import Clients
from holdfast.errors import HoldfastError, LimitReached, Superseded
from holdfast.protocol.messages import Lost, Message, Role


class Peer:
    """A connection that notes what it is refused with."""

    def __init__(self) -> None:
        self.refused: HoldfastError | None = None
        self.told: list[Message] = []

    def tell(self, event: Message) -> None:
        self.told.append(event)

    def refuse(self, error: HoldfastError) -> None:
        assert self.refused is None
        self.refused = error


def entered(clients: Clients, client_id: str = "", role: Role = Role.CONTROL) -> Peer:
    peer = Peer()
    clients.enter(peer)
    if client_id:
        clients.greet(peer, client_id, role)
    return peer


def test_who_comes_when_every_place_is_taken_is_refused_with_the_setting() -> None:
    clients = Clients(2)
    seated = [entered(clients, "a"), entered(clients, "b")]

    late = entered(clients)

    assert isinstance(late.refused, LimitReached)
    assert late.refused.limit == 2
    assert "daemon.connections" in late.refused.fix
    assert [peer.refused for peer in seated] == [None, None]


def test_a_place_that_was_left_is_free() -> None:
    clients = Clients(1)
    clients.left(entered(clients, "a"))

    assert entered(clients, "b").refused is None


def test_who_was_refused_took_no_place() -> None:
    clients = Clients(1)
    seated = entered(clients, "a")
    late = entered(clients)
    clients.left(late)
    clients.left(seated)

    assert entered(clients, "b").refused is None
    assert isinstance(entered(clients).refused, LimitReached)


def test_the_oldest_that_has_not_spoken_makes_room() -> None:
    clients = Clients(3)
    speaker, first, second = entered(clients, "a"), entered(clients), entered(clients)

    newcomer = entered(clients, "b")

    assert isinstance(first.refused, LimitReached)
    assert [peer.refused for peer in (speaker, second, newcomer)] == [None, None, None]


def test_a_newer_connection_of_a_client_replaces_the_older() -> None:
    clients = Clients(9)
    older = entered(clients, "ada")

    newer = entered(clients, "ada")

    assert isinstance(older.refused, Superseded)
    assert newer.refused is None


def test_one_client_may_control_and_look_at_once() -> None:
    clients = Clients(9)
    peers = [entered(clients, "ada", Role.CONTROL), entered(clients, "ada", Role.STREAM)]

    assert [peer.refused for peer in peers] == [None, None]


def test_the_late_end_of_an_older_connection_does_not_hide_the_newer() -> None:
    """P3."""
    clients = Clients(9)
    older, second = entered(clients, "ada"), entered(clients, "ada")
    clients.left(older)

    third = entered(clients, "ada")

    assert isinstance(second.refused, Superseded)
    assert third.refused is None


def test_an_event_reaches_the_connection_of_that_number_alone() -> None:
    clients = Clients(3)
    one, two = entered(clients), entered(clients)
    first = clients.greet(one, "a", Role.CONTROL)
    second = clients.greet(two, "b", Role.CONTROL)
    event = Lost(session="k3v9qd", reason="taken over")

    clients.tell(second, event)
    clients.left(one)
    clients.tell(first, event)

    assert first < second
    assert (one.told, two.told) == ([], [event])
