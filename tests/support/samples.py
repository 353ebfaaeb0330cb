"""One sample of every message, with every field set: for round trips and golden bytes."""

from holdfast.protocol import messages as m
from holdfast.protocol.version import Versions

SESSION = m.SessionInfo(
    id="k3v9qd",
    name="build",
    key="proj/build",
    state="running",
    recovery="adopted",
    pid=4711,
    argv=["sh", "-c", "make"],
    cwd="/home/ada",
    cols=120,
    rows=40,
    offset=1 << 40,
    created=1_750_000_000.25,
    last_attached=1_750_000_001.5,
    ended=1_750_000_002.0,
    exit_code=7,
    exit_signal=9,
    stalled="disk-full",
    life=2,
    restore="always",
    ephemeral=True,
    owner="terminal pts/3",
    owned=True,
    duration=1.75,
    maxrss_kib=4096,
    killed_by="terminal pts/3",
    last_activity=1_750_000_001.75,
)

ERASED = m.Erased(bytes=100, start=120, gone=True, found=["/state/journal.db"])

STATS = m.Stats(
    pid=4711,
    version="0.1.0",
    started=1_750_000_000.0,
    restarts=2,
    pump="copy",
    pump_reason="no splice here",
    sessions={"running": 3, "exited": 1},
    recovery={"adopted": 2, "lost:not-rerun": 1},
    stalled=1,
    connections=4,
    followers=5,
    subscribers=6,
    bytes_in=7,
    bytes_out=1 << 33,
    pruned=1 << 20,
    gaps=8,
    role_denied=9,
    owner_denied=10,
    failures={"NOT_FOUND": 11},
    input_queued=12,
    journal_queued=13,
    newest_event=1 << 40,
    logs=1 << 30,
    journal=1 << 16,
    budget=8 << 30,
    free=80 << 30,
    echo=m.Echo(bounds=[0.001, 0.01], counts=[5, 2, 1], sum=0.25),
    complaint="tidying up failed: no such file",
    complained=1_750_000_003.5,
)

SAMPLES: dict[str, m.Message] = {
    "hello": m.Hello(
        protocol=Versions(1, 2),
        client_id="tester-1",
        role=m.Role.CONTROL,
        token="secret",
        label="terminal pts/3",
        kind="terminal",
    ),
    "welcome": m.Welcome(
        protocol=1,
        version="0.1.0",
        pid=4711,
        started=1_750_000_000.0,
        frame_limit=4 << 20,
        session_limit=512,
    ),
    "error": m.Failure(
        code="NOT_FOUND", what="no session 'x'", fix="look", facts={"session": "x", "n": 1}
    ),
    "goodbye": m.Goodbye(),
    "shutdown": m.Shutdown(reason="idle"),
    "create": m.Create(
        argv=[b"sh", b"\xff"],
        cwd=b"/home/ada",
        env={b"TERM": b"xterm-256color"},
        cols=120,
        rows=40,
        name="build",
        key="proj/build",
        umask=0o077,
        creation="c0ffee",
        restore="always",
        ephemeral=True,
    ),
    "create reply": m.Created(session=SESSION, outcome="attached"),
    "list": m.List(ended=True),
    "list reply": m.Listed(sessions=[SESSION]),
    "get": m.Get(session="k3v9qd"),
    "get reply": SESSION,
    "output": m.Output(session="k3v9qd", since=10, until=20, wait=1.5),
    "output reply": m.OutputChunk(offset=10, data=b"\x1b[0m\xff", end=14, final=True),
    "input": m.Input(session="k3v9qd", offset=7, data=b"ls\r", takeover=True),
    "input reply": m.InputTaken(end=10),
    "resize": m.Resize(session="k3v9qd", cols=80, rows=24, takeover=True),
    "send": m.Send(
        session="k3v9qd", offset=7, text=b"ls\xff", enter=True, settle=False, takeover=True
    ),
    "send reply": m.Sent(end=30, pasted="yes", caught_up=False),
    "resize reply": SESSION,
    "kill": m.Kill(session="k3v9qd", now=True, takeover=True),
    "kill reply": SESSION,
    "signal": m.Signal(session="k3v9qd", signal="SIGINT", token="c0ffee", takeover=True),
    "signal reply": SESSION,
    "rename": m.Rename(session="k3v9qd", name="test", takeover=True),
    "rename reply": SESSION,
    "kill_all": m.KillAll(now=True, asked=1_750_000_000.5, takeover=True),
    "kill_all reply": m.KilledAll(
        killed=[SESSION],
        spared=[m.Spared(session="x2y4z6", name="", code="OWNER_REQUIRED", what="owned by ada")],
    ),
    "wait": m.Wait(session="k3v9qd", timeout=1.5),
    "wait reply": SESSION,
    "restore": m.Restore(session="k3v9qd", life=2),
    "restore reply": SESSION,
    "clear_scrollback": m.Clear(session="k3v9qd", takeover=True),
    "clear_scrollback reply": ERASED,
    "forget": m.Forget(session="k3v9qd", since=10, until=20, takeover=True),
    "forget reply": ERASED,
    "du": m.Du(),
    "du reply": m.DiskUsed(
        sessions=[
            m.DiskUse(
                session="k3v9qd",
                name="build",
                state="running",
                log=1 << 20,
                other=4096,
                start=512,
                end=2 << 20,
                missing=[(0, 512, "pruned")],
            )
        ],
        journal=8192,
        budget=8 << 30,
        per_session=256 << 20,
        free=80 << 30,
    ),
    "claim": m.Claim(session="k3v9qd"),
    "claim reply": SESSION,
    "takeover": m.Takeover(session="k3v9qd", reason="it is my turn"),
    "takeover reply": SESSION,
    "release": m.Release(session="k3v9qd"),
    "release reply": SESSION,
    "superseded": m.Lost(session="k3v9qd", reason="taken over"),
    "subscribe": m.Subscribe(since=1 << 40, session="k3v9qd"),
    "subscribe reply": m.Subscribed(newest=2 << 40, oldest=7, missed=True),
    "event": m.Event(
        number=1 << 40,
        time=1_750_000_000.5,
        session="k3v9qd",
        kind="exit",
        facts={"code": 7, "signal": None, "name": "build"},
    ),
    "caught_up": m.CaughtUp(number=1 << 40),
    "stats": m.GetStats(),
    "stats reply": STATS,
    "metrics": m.GetMetrics(),
    "metrics reply": m.Metrics(text="holdfast_connections 3\n"),
    "ping": m.Ping(nonce=5),
    "ping reply": m.Pong(nonce=5),
}


def expected_names() -> set[str]:
    """The names that SAMPLES must have, told by the registry of messages."""
    requests = set(m.REQUESTS) | {f"{kind} reply" for kind in m.REQUESTS}
    return requests | set(m.NOTICES) | set(m.EVENTS) | {m.HELLO, m.WELCOME, m.FAILURE}


def frame_of(name: str) -> tuple[int, str]:
    """Return the id and kind under which a sample travels."""
    kind = name.removesuffix(" reply")
    return (42 if kind in m.REQUESTS else 0), kind
