"""The client of a command against a daemon that dies, hangs or refuses at every point."""

import os
from pathlib import Path

import pytest

from holdfast.client.plain import Client, connect
from holdfast.client.repeating import is_repeatable
from holdfast.config.paths import Paths
from holdfast.errors import AuthFailed, DaemonUnreachable, HoldfastError, NotFound, TimedOut
from holdfast.protocol import messages as m
from holdfast.protocol.daemon_end import RequestReceived
from tests.support.samples import SAMPLES, SESSION
from tests.support.scripted_daemon import (
    Act,
    Conversation,
    ScriptedDaemon,
    ScriptedKeeper,
    closes,
    dies_asked,
    is_mute,
    refuses,
    serves,
)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.find({"HOLDFAST_HOME": str(tmp_path)}, os.getuid())


def reach(paths: Paths) -> Client:
    return connect(paths, {}, autostart=False)


class Memory:
    """Answers, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[m.Message] = []

    def __call__(self, asked: m.Message) -> m.Message | HoldfastError:
        self.asked.append(asked)
        if isinstance(asked, m.Input):
            return m.InputTaken(end=asked.offset + len(asked.data))
        if isinstance(asked, m.Create):
            return m.Created(session=SESSION)
        if isinstance(asked, m.Get):
            return NotFound(session=asked.session)
        return m.Pong(nonce=7)


def test_a_call_returns_its_reply_or_raises_its_error(paths: Paths) -> None:
    with ScriptedDaemon(paths.socket, serves(Memory())), reach(paths) as client:
        assert client.call(m.Ping()).nonce == 7
        with pytest.raises(NotFound, match="no session 'x'"):
            client.call(m.Get(session="x"))
        assert client.call(m.Ping()).nonce == 7


def test_nothing_that_listens_is_said_at_once(paths: Paths) -> None:
    with pytest.raises(DaemonUnreachable, match=r"hold\.sock: No such file"):
        reach(paths)


@pytest.mark.parametrize("trouble", [closes, dies_asked])
@pytest.mark.parametrize(
    "message",
    [
        m.Ping(),
        m.Input(session="x", offset=5, data=b"abc"),
        m.Create(argv=[b"x"], cwd=b"/", env={}),
    ],
)
def test_a_call_that_is_cut_off_is_made_again(
    paths: Paths, trouble: Act, message: m.Message
) -> None:
    memory = Memory()
    acts = (dies_asked, trouble, closes, serves(memory))
    with ScriptedDaemon(paths.socket, *acts), reach(paths) as client:
        client.call(message)  # type: ignore[call-overload]

    (asked,) = memory.asked
    assert type(asked) is type(message)
    if isinstance(asked, m.Create):
        assert len(asked.creation) == 20
    else:
        assert asked == message


def test_a_create_keeps_its_token_through_every_try(paths: Paths) -> None:
    heard = []

    def listens_and_dies(conversation: Conversation) -> None:
        conversation.greet()
        event = conversation.hear()
        assert isinstance(event, RequestReceived)
        assert isinstance(event.message, m.Create)
        heard.append(event.message.creation)

    memory = Memory()
    acts = (listens_and_dies, listens_and_dies, serves(memory))
    with ScriptedDaemon(paths.socket, *acts), reach(paths) as client:
        client.call(m.Create(argv=[b"x"], cwd=b"/", env={}))

    (asked,) = memory.asked
    assert isinstance(asked, m.Create)
    assert {*heard, asked.creation} == {asked.creation}


def test_death_during_the_handshake_is_tried_again(paths: Paths) -> None:
    acts = (closes, closes, serves(Memory()))
    with ScriptedDaemon(paths.socket, *acts), reach(paths) as client:
        assert client.welcome.pid == 4711


def test_a_refusal_is_final(paths: Paths) -> None:
    refusal = refuses(AuthFailed(reason="user 7 is not user 8"))
    with ScriptedDaemon(paths.socket, refusal), pytest.raises(AuthFailed, match="user 7"):
        reach(paths)


def test_a_daemon_that_never_answers_a_call_is_a_timeout(paths: Paths) -> None:
    def is_deaf(conversation: Conversation) -> None:
        conversation.greet()
        is_mute(conversation)

    daemon, said = ScriptedDaemon(paths.socket, is_deaf), r"'ping' did not finish within 0\.1 s"
    with daemon, reach(paths) as client, pytest.raises(TimedOut, match=said):
        client.call(m.Ping(), timeout=0.1)


def test_why_no_daemon_comes_up_is_asked_and_told(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.protocol.connection.HANDSHAKE_TIMEOUT", 300)
    reason = "exit 1: ImportError: no module named x"
    keeper = ScriptedKeeper(
        paths.keeper_socket, pid=None, state="waiting", reason=reason, next_try=4.9
    )
    said = f"does not start: {reason}"
    with (
        ScriptedDaemon(paths.socket, is_mute),
        keeper,
        pytest.raises(DaemonUnreachable, match=said),
    ):
        reach(paths)


def test_every_request_may_be_sent_again() -> None:
    assert [kind for kind in m.REQUESTS if not is_repeatable(SAMPLES[kind])] == []
