"""A host from its start to its end: everything is put together here, and taken apart again."""

import asyncio
import contextlib
import ipaddress
import logging
import os
import shlex
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from holdfast import __version__
from holdfast.client.aio import connect
from holdfast.config.paths import Paths
from holdfast.errors import InvalidSetting
from holdfast.host import calls, records
from holdfast.host.access import LOOPBACK, Access
from holdfast.host.app import Pages
from holdfast.host.guard import Guard
from holdfast.host.host import Facts, Host
from holdfast.host.logfile import log_into
from holdfast.host.places import record_directory, token_file
from holdfast.host.server import Server, Tls, listen
from holdfast.host.tokens import Tokens
from holdfast.host.tries import Tries
from holdfast.host.visit import Place

logger = logging.getLogger(__name__)

PORT = 7717
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
FLUSHED_WITHIN = 1.0  # seconds for the last notice to be handed to the sockets
LET_GO_WITHIN = 2.0  # seconds for the daemon to hear of it


class Options(NamedTuple):
    """What the command line and the settings say."""

    address: str
    port: int | None
    """0 is any free one; None the one of the last host."""
    idle_timeout: float | None
    read_only: bool
    base_path: str
    public: str
    """The origin of a proxy in front of it, as browsers see that; or nothing."""
    tls: Tls | None
    insecure: bool
    """Whether others may read along."""
    program: list[str]
    directory: Path
    shell: str


class Ready(NamedTuple):
    """A host that serves."""

    url: str
    """With a code that lets one page in."""
    pid: int
    busy_port: int
    """The port that was wanted, if it is not the one; 0 if it is."""


def run(
    options: Options,
    paths: Paths,
    environ: Mapping[str, str],
    announce: Callable[[Ready], None],
) -> str:
    """Serve until told to end, or until nobody needs it; return why it ended."""
    _refuse_strangers(options)
    paths.prepare(os.getuid())
    log_into(paths.state / "host.log", debug=bool(environ.get("HOLDFAST_DEBUG")))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options, paths, environ, announce))


async def _serve(
    options: Options,
    paths: Paths,
    environ: Mapping[str, str],
    announce: Callable[[Ready], None],
) -> str:
    wanted, sock = _listen(options, paths)
    port = sock.getsockname()[1]
    url = f"{'https' if options.tls else 'http'}://{_host_of(options.address)}:{port}"
    url += options.base_path
    tokens, tries = Tokens(token_file(paths), uid=os.getuid()), Tries()
    ended: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()

    def end(kind: str, reason: str) -> None:
        if not ended.done():
            ended.set_result((kind, reason))

    async with connect(role="stream", kind="browser", label="host", environ=environ) as client:
        chosen = await _start(options, environ)
        facts = Facts(
            __version__, os.getpid(), time.time(), _again(options, port), options.read_only
        )
        host = Host(
            facts,
            Place(environ, options.directory, options.shell, chosen),
            tokens=tokens,
            tries=tries,
            idle_timeout=options.idle_timeout,
            ended=lambda reason: end("idle-timeout", reason),
        )
        pages = Pages(host, client, tokens=tokens, tries=tries)
        guard = Guard(
            pages.app(options.base_path),
            rules=_rules(options, port),
            check=lambda token: tokens.check(token, time.time()),
            tries=tries,
            clock=time.monotonic,
        )
        server = Server(guard, options.tls)
        async with _serving(server, sock), _signals(lambda name: end("shutdown", name)):
            record = _record(options, url, port)
            published = records.Published(record_directory(paths), record)
            try:
                code = tokens.issue_code(time.time())
                logger.info("listening on %s", url)
                host.begin()
                link = f"{record.public or url}#/?code={code}"
                announce(Ready(link, os.getpid(), wanted if port != wanted else 0))
                kind, reason = await ended
                logger.info("ending: %s", reason)
                host.tell_end(kind, reason)
                await host.wire.flush(FLUSHED_WITHIN)
            finally:
                published.close()
        async with asyncio.timeout(LET_GO_WITHIN):
            await host.close()
    return reason


@contextlib.asynccontextmanager
async def _serving(server: Server, sock: socket.socket) -> AsyncIterator[None]:
    """Serve within; afterwards everything is closed."""
    serving = asyncio.create_task(server.run_on(sock))
    try:
        await server.is_up.wait()
        yield
    finally:
        server.end()
        await serving


@contextlib.asynccontextmanager
async def _signals(end: Callable[[str], None]) -> AsyncIterator[None]:
    """Have the signals that mean it end the host."""
    loop, numbers = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, end, number.name)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _start(options: Options, environ: Mapping[str, str]) -> str:
    """Start the program that the host was given; return its session, to be shown first."""
    if not options.program:
        return ""
    async with connect(kind="browser", label="host", environ=environ) as client:
        session = await client.create(
            *options.program,
            cwd=options.directory,
            env=calls.session_environment(environ),
        )
        return session.id


# -- where it listens


def _listen(options: Options, paths: Paths) -> tuple[int, socket.socket]:
    """Return the port that was wanted, 0 if any was, and the socket."""
    remembered = paths.state / "host-port"
    wanted = options.port if options.port is not None else _remembered(remembered) or PORT
    sock = listen(options.address, wanted)
    port = sock.getsockname()[1]
    living = {record.port for record in records.running(record_directory(paths))}
    if _remembered(remembered) not in living:
        remembered.touch(mode=0o600)
        remembered.write_text(f"{port}\n")
    return wanted or port, sock


def _remembered(file: Path) -> int:
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        return 0
    return port if 0 < port < 65536 else 0


def _refuse_strangers(options: Options) -> None:
    if _is_loopback(options.address) or options.tls is not None or options.insecure:
        return
    raise InvalidSetting(
        argument="--listen",
        value=options.address,
        problem="others on the network could read along, and take tokens",
        remedy="add --tls-cert and --tls-key; or --insecure, behind a proxy that has them",
    )


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _host_of(address: str) -> str:
    """Return an address as it is written in a URL that can be opened here."""
    if address in EVERYWHERE:
        return socket.gethostname()
    return f"[{address}]" if ":" in address else address


def _record(options: Options, url: str, port: int) -> records.Record:
    base = options.base_path
    public = options.public and options.public + base
    return records.Record(url, os.getpid(), port, base, time.time(), public=public)


def _rules(options: Options, port: int) -> Access:
    return Access.at(
        _names(options.address),
        port,
        tls=bool(options.tls),
        base_path=options.base_path,
        everywhere=options.address in EVERYWHERE,
        public=options.public,
    )


def _names(address: str) -> set[str]:
    """Return the names under which pages may reach it."""
    names = {*LOOPBACK, _host_of(address)}
    if address in EVERYWHERE:  # its addresses the guard knows of each connection
        names |= {socket.gethostname(), socket.getfqdn()}
    return names


def _again(options: Options, port: int) -> str:
    """Return the command that starts this host again, where pages look for it."""
    words = ["hold", "host", "--port", str(port)]
    if options.address != "127.0.0.1":
        words += ["--listen", options.address]
    if options.public:
        words += ["--url", options.public + options.base_path]
    elif options.base_path != "/":
        words += ["--base-path", options.base_path]
    if options.tls is not None:
        words += ["--tls-cert", str(options.tls.cert), "--tls-key", str(options.tls.key)]
    if options.insecure:
        words.append("--insecure")
    if options.read_only:
        words.append("--read-only")
    return shlex.join(words)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return uvloop.new_event_loop
