"""Every way to lose a connection and to get it back, for both clients.

The daemon is scripted: it dies, refuses or hangs exactly where the test says.
"""

import asyncio
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from holdfast import Kind
from holdfast.config.paths import Paths
from holdfast.errors import (
    AuthFailed,
    DaemonUnreachable,
    HoldfastError,
    NotConnected,
    Superseded,
    TimedOut,
)
from holdfast.protocol import messages as m
from tests.support.home import Home, running_home
from tests.support.proxy import proxied
from tests.support.samples import SESSION
from tests.support.scripted_daemon import (
    Conversation,
    ScriptedDaemon,
    ScriptedKeeper,
    closes,
    dies_asked,
    is_mute,
    refuses,
    serves,
)
from tests.support.twins import TWINS, connected, run

pytestmark = pytest.mark.parametrize("twin", TWINS)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.find({"HOLDFAST_HOME": str(tmp_path)}, os.getuid())


def options(paths: Paths, **more: Any) -> dict[str, Any]:
    return {"environ": {"HOLDFAST_HOME": str(paths.state.parent)}, "autostart": False, **more}


def pongs(asked: m.Message) -> m.Message | HoldfastError:
    return m.Listed(sessions=[SESSION]) if isinstance(asked, m.List) else m.Pong(nonce=7)


async def ping(client: Any, **more: Any) -> int:
    pong = await client.call(m.Ping(), m.Pong, **more)
    return int(pong.nonce)


def test_the_server_drops_and_returns_on_the_same_path(tmp_path: Path, twin: str) -> None:
    async def work(home: Home, front: Paths) -> None:
        with proxied(home.paths.socket, front.socket) as proxy:
            async with connected(twin, **options(front)) as client:
                assert await ping(client) == 0
                proxy.gone()
                proxy.every.cut()
                with pytest.raises(NotConnected):
                    await ping(client)
                assert client.state.kind is not Kind.ONLINE
                proxy.back()
                await ping(client, timeout=20)
                assert client.state.kind is Kind.ONLINE

    front = Paths.find({"HOLDFAST_HOME": str(tmp_path / "front")}, os.getuid())
    front.socket.parent.mkdir(parents=True, mode=0o700)
    with running_home(tmp_path / "h") as home, home.client():
        run(work(home, front))


def test_on_reconnect_runs_on_the_first_connection_and_on_every_other(
    paths: Paths, twin: str
) -> None:
    calls = []

    async def prepare(caller: Any) -> None:
        calls.append(len(await caller.list()))

    def dies_at_ping(conversation: Conversation) -> None:
        conversation.greet()
        event: Any = conversation.hear()
        conversation.core.reply(event.number, m.Listed(sessions=[]))
        conversation.write()
        conversation.hear()

    async def work() -> None:
        acts = dies_at_ping, serves(pongs)
        with ScriptedDaemon(paths.socket, *acts):
            async with connected(twin, **options(paths, on_reconnect=prepare)) as client:
                assert calls == [0]
                with pytest.raises(NotConnected):
                    await ping(client)
                assert await ping(client, wait=True) == 7
                assert calls == [0, 1]

    run(work())


def test_a_call_during_the_outage_fails_at_once(paths: Paths, twin: str) -> None:
    async def work() -> None:
        async with connected(twin, **options(paths)) as client:
            begun = time.monotonic()
            with pytest.raises(NotConnected) as caught:
                await ping(client)
            assert time.monotonic() - begun < 1
            assert "No such file" in caught.value.what

    run(work())


def test_a_call_on_its_way_fails_when_the_connection_is_lost(paths: Paths, twin: str) -> None:
    async def work() -> None:
        with ScriptedDaemon(paths.socket, dies_asked, serves(pongs)):
            async with connected(twin, **options(paths)) as client:
                with pytest.raises(NotConnected):
                    await ping(client)
                assert await ping(client, wait=True) == 7

    run(work())


def test_a_call_that_waits_is_made_again(paths: Paths, twin: str) -> None:
    async def work() -> None:
        with ScriptedDaemon(paths.socket, dies_asked, serves(pongs)):
            async with connected(twin, **options(paths)) as client:
                assert await ping(client, wait=True) == 7

    run(work())


def test_a_call_waits_no_longer_than_its_timeout(paths: Paths, twin: str) -> None:
    async def work() -> None:
        async with connected(twin, **options(paths)) as client:
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await ping(client, timeout=0.3)
            assert 0.2 < time.monotonic() - begun < 5

    run(work())


def test_a_preparation_that_fails_twice_is_tried_until_it_succeeds(paths: Paths, twin: str) -> None:
    tries = []

    async def prepare(_caller: Any) -> None:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise RuntimeError("not yet")

    async def work() -> None:
        with ScriptedDaemon(paths.socket, serves(pongs)):
            async with connected(twin, **options(paths, on_reconnect=prepare)) as client:
                assert client.state.kind is not Kind.ONLINE
                assert "not yet" in client.state.reason
                assert await ping(client, wait=True) == 7
        assert len(tries) == 3
        assert tries[1] - tries[0] < 0.4
        assert 0.4 < tries[2] - tries[1] < 2

    run(work())


def test_a_daemon_that_is_absent_at_the_start_is_waited_for(paths: Paths, twin: str) -> None:
    async def work() -> None:
        with ExitStack() as daemon:
            async with connected(twin, **options(paths)) as client:
                assert client.state.kind in (Kind.WAITING, Kind.CONNECTING)
                daemon.enter_context(ScriptedDaemon(paths.socket, serves(pongs)))
                assert await ping(client, wait=True) == 7

    run(work())


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(AuthFailed(reason="no"), 3), (Superseded(reason="somebody newer"), 1)],
)
def test_what_will_not_change_by_itself_is_given_up(
    paths: Paths, twin: str, error: HoldfastError, attempts: int
) -> None:
    met = []

    def refusing(conversation: Conversation) -> None:
        met.append(1)
        refuses(error)(conversation)

    async def work() -> None:
        with ScriptedDaemon(paths.socket, closes, refusing):
            async with connected(twin, **options(paths)) as client:
                with pytest.raises(type(error)):
                    await ping(client, wait=True)
                assert len(met) == attempts
                assert client.state.error.code == error.code
                with pytest.raises(type(error)):  # at once
                    await ping(client, wait=True)

    run(work())


def test_retry_now_goes_back_after_giving_up(paths: Paths, twin: str) -> None:
    def later(conversation: Conversation) -> None:
        conversation.greet()
        conversation.hear()
        conversation.core.refuse(Superseded(reason="somebody newer"))
        conversation.write()

    async def work() -> None:
        with ScriptedDaemon(paths.socket, later, serves(pongs)):
            async with connected(twin, **options(paths)) as client:
                with pytest.raises(Superseded):
                    await ping(client)
                assert client.state.kind is Kind.GAVE_UP
                done = client.retry_now()
                if twin == "blocking":
                    await done
                assert await ping(client, timeout=10) == 7

    run(work())


def test_who_accepts_and_drops_at_once_is_not_hammered(paths: Paths, twin: str) -> None:
    accepted = []

    def drops(conversation: Conversation) -> None:
        accepted.append(time.monotonic())
        closes(conversation)

    def greets_and_drops(conversation: Conversation) -> None:
        accepted.append(time.monotonic())
        conversation.greet()

    async def work() -> None:
        for act in (drops, greets_and_drops):
            accepted.clear()
            with ScriptedDaemon(paths.socket, act):
                async with connected(twin, **options(paths)) as client:
                    with pytest.raises((TimedOut, NotConnected)):
                        await ping(client, timeout=2)
            paths.socket.unlink()
            assert 2 <= len(accepted) <= 4

    run(work())


def test_one_connection_only(paths: Paths, twin: str) -> None:
    async def work() -> None:
        with ScriptedDaemon(paths.socket, dies_asked, serves(pongs)):
            async with connected(twin, **options(paths, reconnect=False)) as client:
                with pytest.raises(NotConnected):
                    await ping(client)
                assert client.state.kind is Kind.GAVE_UP
                with pytest.raises(NotConnected):
                    await ping(client, wait=True)

    run(work())


def test_a_daemon_that_never_greets_is_given_up_with_what_its_keeper_says(
    paths: Paths, twin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.protocol.connection.HANDSHAKE_TIMEOUT", 0.3)

    async def work() -> None:
        with ScriptedDaemon(paths.socket, is_mute):
            async with connected(twin, **options(paths)) as client:
                assert "neither the daemon nor its keeper answers" in client.state.reason

    run(work())


def test_no_daemon_is_an_error_when_only_one_try_is_wanted(paths: Paths, twin: str) -> None:
    async def work() -> None:
        with pytest.raises(DaemonUnreachable):
            async with connected(twin, **options(paths, reconnect=False)):
                pass

    run(work())


def test_states_tell_the_whole_story(paths: Paths, twin: str) -> None:
    async def work() -> None:
        with ScriptedDaemon(paths.socket, dies_asked, closes, serves(pongs)):
            async with connected(twin, **options(paths)) as client:
                states = client.states()
                kinds = [(await anext(states)).kind]
                with pytest.raises(NotConnected):
                    await ping(client)
                while kinds[-1] is not Kind.ONLINE or len(kinds) < 3:
                    kinds.append((await anext(states)).kind)

        assert kinds == [
            Kind.ONLINE,
            Kind.LOST,
            Kind.CONNECTING,
            Kind.WAITING,
            Kind.CONNECTING,
            Kind.ONLINE,
        ]

    run(work())


def test_request_numbers_go_on_over_connections(paths: Paths, twin: str) -> None:
    numbers = []

    def notes(conversation: Conversation) -> None:
        conversation.greet()
        event: Any = conversation.hear()
        numbers.append(event.number)

    def serves_one(conversation: Conversation) -> None:
        conversation.greet()
        event: Any = conversation.hear()
        numbers.append(event.number)
        conversation.core.reply(event.number, m.Pong(nonce=7))
        conversation.write()
        conversation.hear()

    async def work() -> None:
        with ScriptedDaemon(paths.socket, notes, serves_one):
            async with connected(twin, **options(paths)) as client:
                assert await ping(client, wait=True) == 7

    run(work())
    assert numbers == [1, 2]


def test_concurrent_calls_are_answered_in_any_order(paths: Paths, twin: str) -> None:
    if twin == "blocking":
        return  # one call at a time is what it is

    def backwards(conversation: Conversation) -> None:
        conversation.greet()
        asked: list[Any] = [conversation.hear() for _ in range(3)]
        for event in reversed(asked):
            conversation.core.reply(event.number, m.Pong(nonce=event.message.nonce))
            conversation.write()
        conversation.hear()

    async def work() -> None:
        with ScriptedDaemon(paths.socket, backwards):
            async with connected(twin, **options(paths)) as client:
                calls = [client.call(m.Ping(nonce=n), m.Pong) for n in range(3)]
                pongs = await asyncio.gather(*calls)
                assert [pong.nonce for pong in pongs] == [0, 1, 2]

    run(work())


def test_verbs_fail_at_once_without_a_connection_or_wait_for_it(paths: Paths, twin: str) -> None:
    def answers_once(conversation: Conversation) -> None:
        conversation.greet()
        event: Any = conversation.hear()
        conversation.core.reply(event.number, SESSION)
        conversation.write()

    async def work() -> None:
        async with connected(twin, **options(paths)) as client:
            session = await client.attach("build", wait=True)
            async for state in client.states():
                if state.kind is Kind.WAITING:
                    break
            verbs = (
                client.list,
                lambda **how: client.attach("build", **how),
                lambda **how: client.create("cat", **how),
                lambda **how: client.create_or_attach("key", "cat", **how),
                session.refresh,
                session.restore,
                session.claim,
                session.release,
                session.takeover,
                session.clear,
                session.forget,
                session.kill,
                lambda **how: session.rename("x", **how),
                lambda **how: session.signal("INT", **how),
                lambda **how: session.resize(80, 24, **how),
            )
            for verb in verbs:
                with pytest.raises(NotConnected):
                    await verb()
                with pytest.raises(TimedOut):
                    await verb(timeout=0.01)

    with ScriptedDaemon(paths.socket, answers_once, closes):
        run(work())


def test_a_daemon_that_does_not_come_up_is_told_as_soon_as_its_keeper_knows(
    paths: Paths, twin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.protocol.connection.HANDSHAKE_TIMEOUT", 300)
    reason = "exit 1: ImportError: no module named x"
    keeper = ScriptedKeeper(
        paths.keeper_socket, pid=None, state="waiting", reason=reason, next_try=4.9
    )

    async def work() -> None:
        with ScriptedDaemon(paths.socket, is_mute), keeper:
            how = options(paths, reconnect=False, autostart=True)
            with pytest.raises(DaemonUnreachable, match=f"does not start: {reason}"):
                async with connected(twin, **how):
                    pass

    run(work())
