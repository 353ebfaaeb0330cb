"""How long a command takes from its start to its end, or to its picture, beside tmux.

Rows: `hold ls`, `hold send` and `hold attach` (until the session's screen is painted in a
terminal, and until it is live: what is typed is for the program), `tmux ls`, `send-keys` and
`attach` on the same machine, and `python3 -c pass`, of which everything is told as a multiple.
All take turns in one run, so that a busy moment meets every one of them. `hold` is called as
pip installs it. `python benchmarks/cli.py [ROUNDS]`
"""

import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from holdfast.cli.commands import BY_NAME
from tests.support.home import ROOT, running_home

ROUNDS = 25
WARM = 3  # rounds that write the compiled modules and fill the caches
MARK = b"painted-by-the-program"
ASKED = b"\x1b[>q"  # `hold attach` asks the terminal what it is, and then shows the real thing
SIZE = struct.pack("HHHH", 24, 80, 0, 0)
PATIENCE = 20.0  # seconds
# What pip writes for an entry point, less its first line.
SCRIPT = (
    "import sys\nfrom holdfast.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
)
LIMITS = {"hold ls": 4.0, "hold send": 4.0, "hold attach": 5.0}


class Row(NamedTuple):
    """Something to be timed."""

    name: str
    once: Callable[[], float]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        with running_home(place / "h", {"HOLDFAST_READER_ENABLED": "on"}) as home:
            environ = {k: v for k, v in home.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
            environ |= {"PYTHONPATH": f"{ROOT / 'src'}", "TERM": "xterm-256color"}
            hold = _installed(place)
            program = f"echo {MARK.decode()}; exec cat"
            home.hold("run", "-d", "-n", "one", "-k", "one", "--", "sh", "-c", program)
            rows = [
                Row("python3 -c pass", lambda: _ended([sys.executable, "-c", "pass"], environ)),
                Row("hold ls", lambda: _ended([hold, "ls"], environ)),
                Row("hold send", lambda: _ended([hold, "send", "one", "x"], environ)),
                Row("hold attach", lambda: _painted([hold, *_attach()], environ)),
                Row("hold attach, live", lambda: _painted([hold, *_attach()], environ, ASKED)),
            ]
            tmux = shutil.which("tmux")
            if tmux is None:
                print("no tmux here: only our own rows")
                _measure(rows, rounds)
                return
            server = [tmux, "-L", f"bench-{os.getpid()}", "-f", "/dev/null"]
            subprocess.run([*server, "new", "-d", "sh", "-c", program], env=environ, check=True)
            try:
                rows += [
                    Row("tmux ls", lambda: _ended([*server, "ls"], environ)),
                    Row("tmux send-keys", lambda: _ended([*server, "send-keys", "x"], environ)),
                    Row("tmux attach", lambda: _painted([*server, "attach"], environ)),
                ]
                _measure(rows, rounds)
            finally:
                subprocess.run([*server, "kill-server"], check=True)


def _measure(rows: list[Row], rounds: int) -> None:
    times: dict[str, list[float]] = {row.name: [] for row in rows}
    for number in range(WARM + rounds):
        for row in rows:
            took = row.once()
            if number >= WARM:
                times[row.name].append(took)
    floor = statistics.median(times[rows[0].name])
    print(f"{'':18}{'median':>9}{'least':>9}{'ratio':>8}")
    for name, found in times.items():
        median = statistics.median(found)
        limit = f"   limit {LIMITS[name]:g}" if name in LIMITS else ""
        ratio = f"{median / floor:.2f}"
        print(f"{name:18}{median * 1000:6.1f} ms{min(found) * 1000:6.1f} ms{ratio:>8}{limit}")


def _installed(place: Path) -> str:
    script = place / "hold"
    script.write_text(f"#!{sys.executable}\n{SCRIPT}")
    script.chmod(0o755)
    return str(script)


def _attach() -> list[str]:
    return ["attach", "one"] if "attach" in BY_NAME else ["run", "-k", "one"]


def _ended(words: list[str], environ: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - begun


def _painted(words: list[str], environ: Mapping[str, str], after: bytes = b"") -> float:
    """Return how long it takes until what the program printed is on a terminal.

    What comes *after* something counts, and what was there before does not.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, SIZE)
    begun = time.perf_counter()
    viewer = subprocess.Popen(
        words,
        env=environ,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        seen = b""
        while MARK not in seen.partition(after)[2] if after else MARK not in seen:
            assert select.select([master], [], [], PATIENCE)[0], f"nothing is painted: {seen!r}"
            seen += os.read(master, 1 << 16)
        return time.perf_counter() - begun
    finally:
        viewer.send_signal(signal.SIGTERM)
        _drain(master, viewer)
        os.close(master)


def _drain(master: int, viewer: subprocess.Popen[bytes]) -> None:
    """Read what is still shown, until the viewer has left: it must not wait for us."""
    deadline = time.monotonic() + PATIENCE
    while viewer.poll() is None:
        assert time.monotonic() < deadline, "the viewer does not leave"
        if select.select([master], [], [], 0.02)[0]:
            try:
                os.read(master, 1 << 16)
            except OSError:
                viewer.wait(PATIENCE)


if __name__ == "__main__":
    main()
