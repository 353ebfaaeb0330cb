"""What the public names give, as `mypy --strict` sees it: that is the test, nothing here runs."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import assert_type

import holdfast
from holdfast import Chunk, Events, Gap, HandedBack, Kind, Snapshot, State, Tail, blocking
from holdfast.client import aio, sync
from holdfast.client.view import End, Item
from holdfast.errors import HoldfastError
from holdfast.protocol.messages import (
    Attached,
    CommandRecord,
    Erased,
    Event,
    List,
    Listed,
    Screen,
    Sent,
    SessionInfo,
)


async def prepare(caller: aio.Caller) -> None:
    assert_type(await caller.list(), list[SessionInfo])
    assert_type(await caller.create("sh"), holdfast.Session)


def prepare_blocking(caller: sync.Caller) -> None:
    assert_type(caller.list(), list[SessionInfo])
    assert_type(caller.create("sh"), blocking.Session)


async def a_client() -> None:
    assert_type(
        holdfast.connect(
            role="stream",
            label="me",
            kind="script",
            client_id="id",
            reconnect=False,
            autostart=False,
            ready=False,
            on_reconnect=prepare,
            environ={"HOLDFAST_HOME": "somewhere"},
        ),
        holdfast.Client,
    )
    async with holdfast.connect() as client:
        assert_type(client, holdfast.Client)
        assert_type(client.client_id, str)
        assert_type(client.state, State)
        assert_type(client.states(), AsyncIterator[State])
        assert_type(client.retry_now(), None)
        assert_type(await client.online(timeout=1), None)
        assert_type(await client.create("sh", b"-c", cwd=b"/", env={"A": b"b"}), holdfast.Session)
        assert_type(await client.create_or_attach("key", "sh", name="name"), holdfast.Session)
        assert_type(await client.attach("name"), holdfast.Session)
        assert_type(await client.list(ended=True), list[SessionInfo])
        assert_type(await client.call(List(), Listed, wait=True, timeout=0.5), Listed)
        assert_type(await client.list(wait=True), list[SessionInfo])
        assert_type(await client.create("sh", cwd=Path("/"), timeout=None), holdfast.Session)
        assert_type(client.events(since=0, session="id"), Events)
        assert_type(client.events().missed, bool)
        assert_type([event async for event in client.events()], list[Event])
        assert_type(await client.close(), None)


async def a_session(session: holdfast.Session) -> None:
    assert_type(session.id, str)
    assert_type(session.info, SessionInfo)
    assert_type(session.outcome, str)
    assert_type(await session.refresh(), SessionInfo)
    assert_type(await session.wait(timeout=1.5), SessionInfo)
    assert_type(await session.snapshot(), Snapshot)
    assert_type(await session.screen("json", scrollback=None, timeout=1.0), Screen)
    assert_type(await session.write(b"text", takeover=True), None)
    assert_type(await session.send("text", enter=False, settle=False), Sent)
    assert_type(await session.resize(80, 24), SessionInfo)
    assert_type(await session.signal("HUP"), SessionInfo)
    assert_type(await session.kill(now=True), SessionInfo)
    assert_type(await session.rename("name", wait=True), SessionInfo)
    assert_type(await session.restore(), SessionInfo)
    assert_type(await session.claim(), SessionInfo)
    assert_type(await session.takeover("a reason"), SessionInfo)
    assert_type(await session.release(), SessionInfo)
    assert_type(await session.clear(), Erased)
    assert_type(await session.forget(10, 17), Erased)
    assert_type(await session.commands(last=3), list[CommandRecord])
    assert_type(await session.context(last=3, budget=4000), str)


async def a_mirror(client: holdfast.Client) -> None:
    mirror = await client.register(
        "k3v9qd", "sh", b"-i", cwd="/", size=(80, 24), name="n", started=1.5, attributes={"a": "b"}
    )
    assert_type(mirror, holdfast.Mirror)
    assert_type((mirror.id, mirror.outcome, mirror.end), tuple[str, str, int])
    assert_type((mirror.info, mirror.epoch), tuple[SessionInfo, bytes])
    assert_type(await mirror.append(0, b"x"), int)
    assert_type(await mirror.skip(1, 2), int)
    assert_type(await mirror.record(CommandRecord(id="1", line="make")), None)
    assert_type(await mirror.finish(2, exit_code=0, exit_signal=None), SessionInfo)


async def what_it_prints(session: holdfast.Session) -> None:
    async with session.output(since=None, policy="latest", window=4096, pause="owner") as output:
        assert_type(output, holdfast.Output)
        assert_type(output.mismatches, int)
        assert_type(output.attached, Attached | None)
        assert_type(output.take(), Item | None)
        output.on_news = lambda: None
        assert_type(output.end, End | None)
        async for item in output:
            an_item(item)
            assert_type(item, Chunk | Gap | Snapshot)
    assert_type(await output.aclose(), None)
    session.output(held=Tail(b"", 5, 5, 7), scrollback=None, terminal=True)


def a_blocking_client() -> None:
    with blocking.connect(on_reconnect=prepare_blocking) as client:
        assert_type(client, blocking.Client)
        assert_type(client.client_id, str)
        assert_type(client.state, State)
        assert_type(client.states(), Iterator[State])
        assert_type(client.retry_now(), None)
        assert_type(client.online(timeout=1), None)
        assert_type(client.create("sh", b"-c", cwd=b"/", env={"A": b"b"}), blocking.Session)
        assert_type(client.create_or_attach("key", "sh", name="name"), blocking.Session)
        assert_type(client.attach("name"), blocking.Session)
        assert_type(client.list(ended=True), list[SessionInfo])
        assert_type(client.call(List(), Listed, wait=True, timeout=0.5), Listed)
        assert_type(client.list(wait=True), list[SessionInfo])
        assert_type(client.create("sh", cwd=Path("/"), timeout=None), blocking.Session)
        assert_type(client.events(since=0, session="id"), blocking.Events)
        assert_type(client.events().missed, bool)
        assert_type(list(client.events()), list[Event])
        assert_type(client.close(goodbye=False), None)


def a_blocking_session(session: blocking.Session) -> None:
    assert_type(session.id, str)
    assert_type(session.info, SessionInfo)
    assert_type(session.outcome, str)
    assert_type(session.refresh(), SessionInfo)
    assert_type(session.wait(timeout=1.5), SessionInfo)
    assert_type(session.snapshot(), Snapshot)
    assert_type(session.screen("json", scrollback=None, timeout=1.0), Screen)
    assert_type(session.write(b"text", takeover=True), None)
    assert_type(session.send("text", enter=False, settle=False), Sent)
    assert_type(session.resize(80, 24), SessionInfo)
    assert_type(session.signal("HUP"), SessionInfo)
    assert_type(session.kill(now=True), SessionInfo)
    assert_type(session.rename("name", wait=True), SessionInfo)
    assert_type(session.restore(), SessionInfo)
    assert_type(session.claim(), SessionInfo)
    assert_type(session.takeover("a reason"), SessionInfo)
    assert_type(session.release(), SessionInfo)
    assert_type(session.clear(), Erased)
    assert_type(session.forget(10, 17), Erased)
    assert_type(session.commands(last=3), list[CommandRecord])
    assert_type(session.context(last=3, budget=4000), str)


def a_blocking_mirror(client: blocking.Client) -> None:
    mirror = client.register("k3v9qd", "sh", cwd=b"/", size=None)
    assert_type(mirror, blocking.Mirror)
    assert_type((mirror.id, mirror.outcome, mirror.end), tuple[str, str, int])
    assert_type(mirror.append(0, b"x"), int)
    assert_type(mirror.skip(1, 2), int)
    assert_type(mirror.record(CommandRecord(id="1", line="make")), None)
    assert_type(mirror.finish(2, exit_code=0, exit_signal=None), SessionInfo)


def what_a_blocking_one_prints(session: blocking.Session) -> None:
    with session.output(since=None, policy="latest", window=4096, pause="owner") as output:
        assert_type(output, blocking.Output)
        assert_type(output.mismatches, int)
        assert_type(output.attached, Attached | None)
        assert_type(output.end, End | None)
        for item in output:
            an_item(item)
            assert_type(item, Chunk | Gap | Snapshot)
    assert_type(output.close(), None)
    session.output(held=Tail(b"", 5, 5, 7), scrollback=None, terminal=True)


def an_item(item: Chunk | Gap | Snapshot) -> None:
    if isinstance(item, Chunk):
        assert_type((item.offset, item.data), tuple[int, bytes])
    elif isinstance(item, Gap):
        assert_type((item.start, item.end, item.reason), tuple[int, int, str])
    else:
        assert_type((item.offset, item.data), tuple[int, bytes])
        assert_type((item.fidelity, item.reason), tuple[str, str])


def a_state(state: State) -> None:
    assert_type(state.kind, Kind)
    assert_type((state.reason, state.attempt, state.delay), tuple[str, int, float])
    assert_type(state.error, HoldfastError | None)
    assert_type(state.is_over, bool)


def typed_too_late(error: HandedBack) -> None:
    assert_type(error.data, bytes)


def the_twins_share(twin: blocking.State, kind: blocking.Kind) -> None:
    assert_type(twin, State)
    assert_type(kind, Kind)
    assert_type(holdfast.__version__, str)
