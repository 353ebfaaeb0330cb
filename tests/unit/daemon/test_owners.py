"""Clients come back while sessions are still being handed over: who owned one owns it again."""

from typing import NamedTuple, cast

import pytest

from holdfast.daemon.owners import Owners
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.daemon.scribe import Scribe
from holdfast.errors import OwnerRequired
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.messages import Lost, Message, Role
from holdfast.types import Size
from tests.support.hand_loop import HandLoop


class Connected(NamedTuple):
    """What a connection says of its client."""

    client_id: str
    connection: int
    role: Role = Role.CONTROL
    label: str = ""


class Scene:
    """A daemon that has just begun, and is handed one session that Ada owned."""

    def __init__(self) -> None:
        loop, self.records = HandLoop(), Records()
        scribe = Scribe(loop.as_loop, self.records.all)
        self.told: list[tuple[int, Message]] = []
        self.owners = Owners(
            loop.as_loop, self.records, scribe, self, lambda *said: self.told.append(said)
        )
        owner = {"client_id": "ada", "label": "ada", "state": "held"}
        self.record = Record(
            id="it", argv=["sh"], cwd="/", size=Size(80, 24), created=0.0, owner=owner
        )

    def hand_over(self) -> None:
        self.records.add(self.record)
        self.owners.resumed(self.record)

    # -- what a change of owner leads to is nothing here

    def changed(self, record: Record) -> None: ...
    def sized(self, record: Record, size: Size) -> None: ...
    def refused(self, record: Record, error: object) -> None: ...


def peer(client_id: str, connection: int, role: Role = Role.CONTROL) -> DaemonEnd:
    return cast("DaemonEnd", Connected(client_id, connection, role))


@pytest.mark.parametrize("is_first", [True, False])
def test_the_owner_owns_it_by_the_connection_it_has(is_first: bool) -> None:
    scene, ada = Scene(), peer("ada", 1)
    if is_first:
        scene.owners.arrived(ada)
    scene.hand_over()
    if not is_first:
        scene.owners.arrived(ada)

    scene.owners.takeover(peer("bob", 2), scene.record, "")

    ((connection, said),) = scene.told  # who owns it by none is told nothing
    assert (connection, type(said)) == (1, Lost)


def test_an_owner_that_has_left_again_has_its_time_to_come_back() -> None:
    scene, ada = Scene(), peer("ada", 1)
    scene.owners.arrived(ada)
    scene.owners.left(ada, False)
    scene.hand_over()

    with pytest.raises(OwnerRequired):
        scene.owners.claim(peer("bob", 2), scene.record)
    scene.owners.takeover(peer("bob", 2), scene.record, "")
    assert scene.told == []


def test_a_client_that_only_looks_owns_nothing() -> None:
    scene = Scene()
    scene.owners.arrived(peer("ada", 1, Role.STREAM))
    scene.hand_over()

    scene.owners.takeover(peer("bob", 2), scene.record, "")

    assert scene.told == []
