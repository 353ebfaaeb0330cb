"""The daemon as a whole: wait until the keeper hands everything over, then serve.

Until then it owns nothing: a spare waits here, with everything imported, for the daemon
before it to die.
"""

import asyncio
import fcntl
import gc
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from holdfast import __version__
from holdfast.config import Config, Paths
from holdfast.config.load import load
from holdfast.config.token import read_token
from holdfast.daemon.clients import Clients
from holdfast.daemon.doors import Doors
from holdfast.daemon.idleness import Idleness
from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.measures import Measures
from holdfast.daemon.pump import Choice, choose
from holdfast.daemon.reporting import Lines, log_into, report
from holdfast.daemon.requests import Requests
from holdfast.daemon.server import ClientProtocol, Terms
from holdfast.daemon.sessions import Sessions
from holdfast.daemon.settling import read
from holdfast.errors import HoldfastError, Internal
from holdfast.keeper.place import PUMP_LOCK
from holdfast.keeper.wire import Body, Channel, Gone
from holdfast.store.journal import Journal

new_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    import uvloop

    new_loop = uvloop.new_event_loop
except ImportError:  # it halves latency, but nothing depends on it
    new_loop = asyncio.new_event_loop


RETRY_JOURNAL = 1.0  # seconds; a full disk, most likely


def check(spec: dict[str, Any]) -> int:
    """Say whether this daemon could run: it was imported, and all it reads is sound."""
    _config(spec)
    _token(spec)
    Journal.check(_paths(spec).journal)
    return 0


def run(spec: dict[str, Any], fd: int) -> int:
    """Wait for the hand-over, then serve until told to end."""
    config, token = _config(spec), _token(spec)
    Journal.check(_paths(spec).journal)
    channel = Channel(socket.socket(fileno=fd))
    try:
        channel.send({"op": "imported"})
        gc.freeze()  # what was imported stays: looking through it takes 15 ms, and a key waits
        frames = _wait_for_hand_over(channel)
    except Gone:
        return 0  # a spare whose keeper ended
    _lock_pump(Path(spec["state"]))
    log_into(f"{spec['state']}/daemon.log")
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(spec, config, token, channel, frames))
    return 0


def _config(spec: dict[str, Any]) -> Config:
    return load(_paths(spec).config_file, os.environ)


def _token(spec: dict[str, Any]) -> str:
    return read_token(_paths(spec).token, os.getuid())


def _paths(_spec: dict[str, Any]) -> Paths:
    return Paths.find(os.environ, os.getuid())


def _wait_for_hand_over(channel: Channel) -> list[tuple[Body, list[int]]]:
    # Not `select`, which takes no descriptor above 1,023: ours has the number that the keeper had
    # for it, and one that holds 250 sessions is beyond that.
    turn = select.poll()
    while True:
        turn.register(channel, select.POLLIN | (select.POLLOUT if channel.wants_to_write else 0))
        turn.poll()
        channel.flush()
        if frames := list(channel.receive()):
            return frames


def _lock_pump(state: Path) -> None:
    """Hold the lock without which nobody may write to a log.

    The keeper sees to it that only one daemon pumps; this makes the kernel see to it. And
    its note tells a keeper that adopts whom it waits for.
    """
    fd = os.open(state / PUMP_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note = os.pread(fd, 100, 0).decode(errors="replace")
        sys.exit(f"another daemon still pumps: {note}")
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"pid {os.getpid()}".encode(), 0)


async def _serve(
    spec: dict[str, Any],
    config: Config,
    token: str,
    channel: Channel,
    frames: list[tuple[Body, list[int]]],
) -> None:
    logging.getLogger().addHandler(Lines())
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    clients = Clients(config.connection_limit)
    choice = choose(config.pump, Path(spec["state"]))
    link = _link(loop, spec, choice)
    sessions = Sessions(
        loop,
        link,
        state=Path(spec["state"]),
        runtime=Path(spec["runtime"]),
        journal=_paths(spec).journal,
        config=config,
        choice=choice,
        tell=clients.tell,
    )
    measures = Measures(sessions, clients, _paths(spec).journal)
    terms = _terms(sessions, clients, measures, config, token)
    doors = Doors(loop, link, partial(ClientProtocol, terms))
    handed = asyncio.Event()
    link.on_settled = handed.set
    link.attach(channel)
    for frame in frames:
        link.heard(*frame)
    # Before all are there: whoever asks for one that is need not wait for hundreds of others.
    await doors.open()
    await handed.wait()
    link.tell({"op": "ready", **link.ready})
    facts = {"pid": os.getpid(), "version": __version__, "pump": choice.kind}
    report("serving", level="info", **facts, restarts=link.restarts)
    settling = loop.create_task(_settle(loop, sessions, _paths(spec).journal))
    idleness = Idleness(
        loop,
        config.idle,
        clients=terms.clients,
        sessions=sessions,
        link=link,
        doors=doors,
        leave=ended.set,
    )
    await ended.wait()
    settling.cancel()
    idleness.close()
    doors.close()
    sessions.close()
    if idleness.is_over:
        link.nothing_left()  # last of all: by now a successor could take over
    link.close()


def _terms(
    sessions: Sessions, clients: Clients, measures: Measures, config: Config, token: str
) -> Terms:
    requests = Requests(sessions, measures)
    return Terms(
        handle=requests.answer,
        type=requests.type,
        is_known=requests.is_known,
        clients=clients,
        counters=sessions.counters,
        arrived=sessions.owners.arrived,
        left=sessions.left,
        uid=os.getuid(),
        pid=os.getpid(),
        session_limit=config.session_limit,
        token=token,
    )


def _link(loop: asyncio.AbstractEventLoop, spec: dict[str, Any], choice: Choice) -> KeeperLink:
    link = KeeperLink(loop, spec)
    link.ready = {
        "pump": choice.kind,
        "pump_reason": choice.reason,
        "daemon_version": __version__,
        "started": time.time(),
    }
    return link


async def _settle(loop: asyncio.AbstractEventLoop, sessions: Sessions, path: Path) -> None:
    """Open the journal, which waits for the disk, beside programs and clients."""
    journal = None
    while journal is None:
        try:
            journal = await loop.run_in_executor(None, Journal.open, path)
        except HoldfastError as error:
            report("the journal cannot be opened", level="error", reason=error)
            sessions.settled.fail(error)
            await asyncio.sleep(RETRY_JOURNAL)
    if journal.damaged:
        report("the journal was damaged", kept_aside=journal.damaged)
    try:
        sessions.settle(journal, await loop.run_in_executor(None, read, journal))
    except Exception as error:
        # Sessions that live are served all the same; whoever asks for others hears why not.
        summary = f"the journal could not be read: {error!r}"
        sessions.settled.fail(Internal(summary=summary))
        raise
