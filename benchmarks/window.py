"""A window: from its start to the first paint, and what it costs in memory.

Peers: the Chromium of this machine as a bare window, on the same display and page. Three starts of
each, the first one apart: it reads 200 MB from the disk.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from holdfast.dev.chromium import find, quiet_flags  # noqa: E402
from holdfast.window.asked import Look  # noqa: E402
from holdfast.window.opening import Opened  # noqa: E402
from tests.support.windowing import engine_processes, x_server  # noqa: E402

STARTS = 4
PATIENCE = 60.0
# Two frames later something is on the screen, whoever composes it.
PAGE = b"""<!doctype html><title>page</title><h1>Holdfast</h1><script>
requestAnimationFrame(() => requestAnimationFrame(() => fetch("/painted")));</script>"""


class Server:
    """One page, which tells when it is painted."""

    def __init__(self) -> None:
        painted = self.painted = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = PAGE if self.path == "/" else b""
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if self.path == "/painted":
                    painted.set()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def memory_of(pids: set[int]) -> dict[str, float]:
    """Return MiB of their own and their share of what they share."""
    total = {"Pss": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        for line in lines[1:]:
            name, _, rest = line.partition(":")
            if name in total:
                total[name] += int(rest.split()[0])
    private = total["Private_Clean"] + total["Private_Dirty"]
    return {"pss_mib": round(total["Pss"] / 1024), "private_mib": round(private / 1024)}


def own(server: Server, environ: dict[str, str]) -> tuple[float, dict[str, float], int]:
    """Show the page in our window; return milliseconds until it is painted, memory, processes."""
    begin = time.monotonic()
    with Opened(server.url, Look(), environ) as opened:
        opened.wait_shown()
        assert server.painted.wait(PATIENCE), opened.last_words()
        took = time.monotonic() - begin
        pids = {opened.pid, *engine_processes(opened.pid)}
        return took * 1000, memory_of(pids), len(pids)


def chromium(server: Server, environ: dict[str, str]) -> tuple[float, dict[str, float], int]:
    """Show it in a bare Chromium."""
    path, profile = find(), tempfile.mkdtemp(prefix="holdfast-bench-")
    assert path is not None
    begin = time.monotonic()
    process = subprocess.Popen(
        [path, *quiet_flags(), f"--app={server.url}", f"--user-data-dir={profile}"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert server.painted.wait(PATIENCE)
        took = time.monotonic() - begin
        pids = {process.pid, *engine_processes(process.pid)}
        return took * 1000, memory_of(pids), len(pids)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(profile, ignore_errors=True)


def measured(
    show: Callable[[Server, dict[str, str]], tuple[float, dict[str, float], int]],
    environ: dict[str, str],
) -> dict[str, object]:
    times: list[float] = []
    memory: dict[str, float] = {}
    processes = 0
    for _ in range(STARTS):
        server = Server()
        try:
            took, memory, processes = show(server, environ)
        finally:
            server.close()
        times.append(took)
    return {
        "first_paint_ms_first": round(times[0]),
        "first_paint_ms_median": round(statistics.median(times[1:])),
        **memory,
        "processes": processes,
    }


def main() -> None:
    with x_server() as display:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("WAYLAND", "QT_"))}
        environ |= {**display, "PYTHONPATH": str(ROOT / "src")}
        for name, show in (("holdfast.window", own), ("chromium --app", chromium)):
            if show is own or find():
                print(json.dumps({"window": name, **measured(show, environ)}), flush=True)


if __name__ == "__main__":
    main()
