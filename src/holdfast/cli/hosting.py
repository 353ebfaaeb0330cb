"""`hold host` and `hold share`: sessions in browsers."""

import contextlib
import json
import os
import sys
import threading
import time
import webbrowser
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from holdfast.cli import door
from holdfast.cli.browsing import redirect
from holdfast.cli.exits import OK, Usage, note
from holdfast.config.duration import parse_duration
from holdfast.config.load import load
from holdfast.config.paths import Paths
from holdfast.errors import NotFound
from holdfast.host import records
from holdfast.host.places import record_directory, token_file
from holdfast.host.run import Options, Ready, run
from holdfast.host.server import Tls
from holdfast.host.tokens import Tokens
from holdfast.protocol.messages import Role

LOCAL = "127.0.0.1"
SHARED_FOR = 3600.0  # seconds
LONGEST_SHARE = 30 * 86400.0
IN_WORDS = {
    "SIGINT": "the host has ended",
    "SIGTERM": "the host was told to end",
    "SIGHUP": "the host has ended: its terminal is gone",
    "no connection": "the host has ended: no page was open",
    "no activity": "the host has ended: no page was used",
}


def host(values: Namespace) -> int:
    """Serve pages until told to end, or until nobody looks any more."""
    paths = door.places()
    if values.revoke:
        ended = Tokens(token_file(paths), uid=os.getuid()).revoke(time.time())
        note(f"{ended} logins and links ended; every page has to log in again")
        return OK
    options = options_of(values, paths)
    with contextlib.ExitStack() as stack:

        def announce(ready: Ready) -> None:
            if ready.busy_port:
                note(f"port {ready.busy_port} is busy, so it is another one")
            if values.json:
                print(json.dumps({"url": ready.url, "pid": ready.pid}), flush=True)
            else:
                print(ready.url, flush=True)
            if values.open:
                stack.enter_context(_opened(ready.url, paths.runtime))

        reason = run(options, paths, os.environ, announce)
    note(f"{IN_WORDS.get(reason, reason)}; sessions live on, and `hold host` shows them again")
    return OK


def share(values: Namespace) -> int:
    """Print a link by which anybody may look at one session."""
    seconds = _duration("--expires", values.expires) if values.expires else SHARED_FOR
    if seconds is None or seconds > LONGEST_SHARE:
        raise Usage("a link has to expire within 30 days", "write --expires 1h, or 7d")
    paths = door.places()
    with door.client(Role.STREAM) as client:
        session = door.session_named(client, values.id).id
    serving = _serving(paths, session, values.port)
    base = serving.public or serving.url
    now = time.time()
    code = Tokens(token_file(paths), uid=os.getuid()).share(session, seconds=seconds, now=now)
    url = f"{base}#/share/{session}?code={code}"
    if values.json:
        print(json.dumps({"url": url, "session": session, "expires": now + seconds}))
    else:
        print(url)
        note(f"through the host at {base}; it has to be reachable from there")
    return OK


def _serving(paths: Paths, session: str, port: int | None) -> records.Record:
    """Return the newest host that answers, or the one at a port."""
    running = records.running(record_directory(paths))
    wanted = [each for each in running if port in (None, each.port)]
    for each in wanted:
        if records.serves(each):
            return each
    where = "" if port is None else f" at port {port}"
    what = f"the host{where} does not answer" if wanted else f"no host runs{where}"
    raise NotFound(session=session).said(
        f"{what}, so nothing could show it", "start one with `hold host`, and share again"
    )


# -- values


def options_of(values: Namespace, paths: Paths) -> Options:
    """Return what the command line and the settings say; raise Usage."""
    if values.port is not None and not 0 <= values.port < 65536:
        raise Usage(f"--port {values.port} is none", "write 1 to 65535, or 0 for any that is free")
    public, base_path = _place(values.url, values.base_path)
    return Options(
        address=values.listen or LOCAL,
        port=values.port,
        idle_timeout=_idle_timeout(values.idle_timeout, paths),
        read_only=values.read_only,
        base_path=base_path,
        public=public,
        tls=_tls(values.tls_cert, values.tls_key),
        insecure=values.insecure,
        program=values.program,
        directory=Path.cwd(),
        shell=os.environ.get("SHELL") or "/bin/sh",
    )


def _idle_timeout(text: str | None, paths: Paths) -> float | None:
    if text is not None:
        return _duration("--idle-timeout", text)
    return load(paths.config_file, os.environ).host_idle_timeout


def _duration(flag: str, text: str) -> float | None:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Usage(f"{flag} {text!r} is no duration", str(error)) from error


def _place(url: str | None, base_path: str | None) -> tuple[str, str]:
    """Return the origin of a proxy, if there is one, and the path below which pages are."""
    if url is None:
        return "", _base_path(base_path)
    if base_path is not None:
        raise Usage("--url has the path already", "leave --base-path out")
    try:
        found = urlsplit(url)
        _ = found.port  # read only now
    except ValueError:
        found = urlsplit("")
    is_plain = not (found.query or found.fragment or found.username or found.password)
    if found.scheme not in ("http", "https") or not found.hostname or not is_plain:
        raise Usage(f"--url {url!r} cannot be used", "write it as https://example.org/term")
    usual = {"http": ":80", "https": ":443"}[found.scheme]
    return f"{found.scheme}://{found.netloc.lower().removesuffix(usual)}", _base_path(found.path)


def _base_path(text: str | None) -> str:
    path = "/" + (text or "").strip("/") + "/"
    if path == "//":
        return "/"
    if not all(part and part.replace("-", "").isalnum() for part in path.strip("/").split("/")):
        raise Usage(f"--base-path {text!r} cannot be used", "use letters, digits, - and /")
    return path


def _tls(cert: str | None, key: str | None) -> Tls | None:
    if bool(cert) != bool(key):
        raise Usage("--tls-cert and --tls-key belong together", "give both, or neither")
    return Tls(Path(cert), Path(key)) if cert and key else None


# -- a browser


@contextlib.contextmanager
def _opened(url: str, directory: Path) -> Iterator[None]:
    """Open a browser there; the code in the address is for no list of processes to show."""

    def open_browser() -> None:
        try:
            is_open = webbrowser.open(where)
        except (webbrowser.Error, OSError):
            is_open = False
        if not is_open:
            print("no browser could be opened: open the address above", file=sys.stderr)

    with redirect(url, directory) as where:
        # A browser in a terminal would not come back before it is left.
        threading.Thread(target=open_browser, daemon=True).start()
        yield
