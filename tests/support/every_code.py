"""A way to produce every error code on purpose: what a user, a client or a system does wrong."""

from collections.abc import Callable

import pytest

from holdfast.client.blocking import connect
from holdfast.errors import HoldfastError
from holdfast.protocol import codec
from holdfast.protocol.client_end import Welcomed
from holdfast.protocol.daemon_end import OWED_LIMIT
from holdfast.protocol.frames import CONTROL, HEADER
from holdfast.protocol.messages import (
    HELLO,
    Forget,
    Get,
    Goodbye,
    Hello,
    Input,
    Kill,
    Output,
    Ping,
    Register,
    Role,
    Signal,
    Wait,
)
from holdfast.protocol.version import OURS, Versions
from holdfast.session.typed import QUEUE_LIMIT
from tests.support.failing import Said, Scene, writing_nothing
from tests.support.home import PATIENCE, Home, until
from tests.support.peer import peer

GOODBYE = codec.encode(0, "goodbye", Goodbye())
STUBBORN = "trap '' TERM HUP; echo ready; while true; do read x; done"

Way = Callable[[Scene], Said]
WAYS: dict[str, Way] = {}


def _produces(code: str) -> Callable[[Way], Way]:
    def add(way: Way) -> Way:
        assert code not in WAYS
        WAYS[code] = way
        return way

    return add


# -- the moment is wrong


@_produces("NOT_CONNECTED")
def _killed_daemon(scene: Scene) -> Said:
    with scene.home.client() as client:
        pid = scene.home.kill_daemon()
        with pytest.raises(HoldfastError) as caught:
            client.hear(PATIENCE)
        scene.home.next_daemon(pid)
    return Said(caught.value, "the daemon closed the connection")


@_produces("DAEMON_UNREACHABLE")
def _nothing_listens(scene: Scene) -> Said:
    nowhere = Home(scene.place / "nowhere")
    with pytest.raises(HoldfastError) as caught:
        connect(nowhere.paths, nowhere.environ, autostart=False)
    return Said(caught.value, str(nowhere.paths.socket))


@_produces("TIMEOUT")
def _an_end_that_does_not_come(scene: Scene) -> Said:
    session = scene.living().id
    return Said(scene.failed(Wait(session=session, timeout=0.25)), "0.25 s")


@_produces("LIMIT_REACHED")
def _one_request_too_many(scene: Scene) -> Said:
    wait = Wait(session=scene.living().id)
    with scene.home.client() as client:
        for _ in range(OWED_LIMIT + 1):
            client.ask(wait)
        (reply,) = until(client.replies, "the refusal")
    assert isinstance(reply.result, HoldfastError)
    return Said(reply.result, str(OWED_LIMIT))


@_produces("INPUT_QUEUE_FULL")
def _too_much_at_once(scene: Scene) -> Said:
    session = scene.home.create(scene.client, "sleep", "1000").id
    error = scene.failed(Input(session=session, offset=0, data=bytes(QUEUE_LIMIT + 1)))
    return Said(error, session)


@_produces("DISK_FULL")
def _no_room_for_a_session(scene: Scene) -> Said:
    with writing_nothing(scene.home.running()["daemon"]["pid"]):
        error = scene.not_started("cat")
    return Said(error, str(scene.home.paths.state / "sessions"))


@_produces("IO_ERROR")
def _a_log_that_somebody_removed(scene: Scene) -> Said:
    session = scene.ended().id
    log = scene.home.paths.state / "sessions" / session
    log.rename(scene.place / session)
    return Said(scene.failed(Output(session=session)), str(log))


# -- the request is wrong


@_produces("INVALID_ARGUMENT")
def _a_negative_offset(scene: Scene) -> Said:
    return Said(scene.failed(Output(session=scene.living().id, since=-17)), "-17")


@_produces("INVALID_SIGNAL")
def _an_unknown_signal(scene: Scene) -> Said:
    return Said(scene.failed(Signal(session=scene.living().id, signal="SIGNOPE")), "SIGNOPE")


@_produces("CWD_MISSING")
def _no_such_directory(scene: Scene) -> Said:
    return Said(scene.not_started("cat", cwd="/no/such/directory"), "/no/such/directory")


@_produces("COMMAND_NOT_FOUND")
def _no_such_program(scene: Scene) -> Said:
    return Said(scene.not_started("no-such-program"), "no-such-program")


@_produces("PERMISSION_DENIED")
def _a_file_that_is_no_program(scene: Scene) -> Said:
    plain = scene.place / "plain"
    plain.write_text("echo never\n")
    return Said(scene.not_started(str(plain)), str(plain))


@_produces("NOT_FOUND")
def _no_such_session(scene: Scene) -> Said:
    return Said(scene.failed(Get(session="nobody")), "nobody")


@_produces("SESSION_GONE")
def _typed_after_the_end(scene: Scene) -> Said:
    session = scene.ended().id
    return Said(scene.failed(Input(session=session, offset=0, data=b"x")), session)


@_produces("SESSION_TERMINATING")
def _typed_during_the_end(scene: Scene) -> Said:
    session = scene.home.create(scene.client, "sh", "-c", STUBBORN).id
    until(lambda: scene.home.output(scene.client, session), "it to be stubborn")
    scene.client.call(Kill(session=session))
    error = scene.failed(Input(session=session, offset=0, data=b"x"))
    scene.client.call(Kill(session=session, now=True))
    return Said(error, session)


@_produces("OFFSET_PRUNED")
def _a_byte_that_was_forgotten(scene: Scene) -> Said:
    session = scene.ended().id
    scene.client.call(Forget(session=session, since=3, until=5))
    return Said(scene.failed(Output(session=session, since=3)), "offset 3 ")


@_produces("OWNER_REQUIRED")
def _what_somebody_else_owns(scene: Scene) -> Said:
    session = scene.living().id
    with scene.home.client() as other:
        error = scene.failed(Kill(session=session), other)
    return Said(error, scene.client.client_id)


@_produces("MIRRORED")
def _typed_into_a_mirror(scene: Scene) -> Said:
    scene.client.call(Register(session="m1rr0r"))
    return Said(scene.failed(Input(session="m1rr0r", offset=0, data=b"x")), "'m1rr0r'")


@_produces("ROLE_FORBIDDEN")
def _a_change_by_one_who_reads(scene: Scene) -> Said:
    session = scene.living().id
    with connect(scene.home.paths, scene.home.environ, role=Role.STREAM) as reader:
        return Said(scene.failed(Kill(session=session), reader), "kill")


@_produces("UNKNOWN_REQUEST")
def _a_request_of_a_newer_version(scene: Scene) -> Said:
    asked = codec.encode(1, "levitate", Ping())
    return Said(scene.told(scene.hello(), asked, GOODBYE), "levitate")


# -- the connection is not welcome


@_produces("PROTOCOL_MISMATCH")
def _a_version_of_the_future(scene: Scene) -> Said:
    return Said(scene.told(scene.hello(protocol=Versions(98, 99))), "98")


@_produces("AUTH_FAILED")
def _a_wrong_token(scene: Scene) -> Said:
    hello = Hello(protocol=OURS, client_id="thief", role=Role.CONTROL, token="guessed")
    return Said(scene.told(codec.encode(0, HELLO, hello)), "the token")  # which is not repeated


@_produces("INVALID_CLIENT_ID")
def _an_odd_client_id(scene: Scene) -> Said:
    return Said(scene.told(scene.hello(client_id="no spaces")), "no spaces")


@_produces("NOT_AUTHENTICATED")
def _a_request_before_the_handshake(scene: Scene) -> Said:
    return Said(scene.told(codec.encode(1, "ping", Ping())), "ping")


@_produces("ALREADY_AUTHENTICATED")
def _a_second_handshake(scene: Scene) -> Said:
    hello = scene.hello(client_id="twice")
    return Said(scene.told(hello, hello, GOODBYE), "twice")


@_produces("SUPERSEDED")
def _a_newer_connection_of_the_same_client(scene: Scene) -> Said:
    with peer(scene.home, "ada", token=scene.token) as older:
        older.wait(Welcomed)
        with peer(scene.home, "ada", token=scene.token):
            error = older.ending()
    assert error is not None
    return Said(error, "ada")


# -- the protocol was broken


@_produces("PROTOCOL_ERROR")
def _a_frame_of_gigabytes(scene: Scene) -> Said:
    return Said(scene.told(HEADER.pack(3 << 30, CONTROL)), str(3 << 30))
