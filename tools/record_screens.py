"""Record what real programs print, for the tests of the screen: `record_screens.py [NAME ...]`.

Needs the programs of `screen_scenes.py` and root, for a machine of its own in name and
processes: a recording says nothing about the one it was made on. The tests need neither.
"""

import fcntl
import gzip
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from holdfast.reader.ghostty import GhosttyScreen
from screen_scenes import SCENES, Scene

ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = ROOT / "tests" / "recordings"
STAGE = Path("/tmp/reef")
QUIET = 0.35  # seconds without output after which the next act follows
LIMIT = 48 * 1024  # bytes of a recording
ENVIRONMENT = {
    "HOME": str(STAGE), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "xterm-256color",
    "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "USER": "diver",
    "PS1": "\\[\\e[32m\\]reef\\[\\e[m\\]$ ",
    "HISTFILE": "/dev/null", "LESSHISTFILE": "-", "SHELL": "/bin/sh",
    "GIT_PAGER": "less -R",
    "XDG_CONFIG_HOME": str(STAGE / "config"), "GIT_CONFIG_GLOBAL": str(STAGE / "gitconfig"),
}  # fmt: skip
ALONE = ["unshare", "-pfmu", "--mount-proc", "sh", "-c", 'hostname reef; exec "$@"', "sh"]


def main(names: list[str]) -> int:
    set_stage()
    RECORDINGS.mkdir(exist_ok=True)
    for scene in SCENES:
        if not names or scene.name in names:
            steps, data = record(scene)
            write(scene, steps, data)
            print(f"{scene.name:<16} {len(data):>7} bytes, {len(steps)} steps")
    return 0


def record(scene: Scene) -> tuple[list[int | tuple[int, int]], bytes]:
    """Play a scene; return sizes of output and new sizes of the screen, and the output."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(STAGE)
        os.execvpe(ALONE[0], [*ALONE, *scene.command], ENVIRONMENT)
    resize(master, scene.size)
    screen = GhosttyScreen.create(*scene.size)  # answers as the terminal a program looks for
    steps: list[int | tuple[int, int]] = []
    output = bytearray()
    for act in [b"", *scene.acts]:
        if isinstance(act, tuple):
            resize(master, act)
            screen.resize(*act)
            steps.append(act)
        elif act and not send(master, act):
            break
        heard = listen(master, screen, scene.patience)
        room = LIMIT - len(output)
        output += heard[:room]
        if heard[:room]:
            steps.append(len(heard[:room]))
        if len(heard) >= room:
            break
    screen.close()
    os.kill(pid, signal.SIGKILL)
    os.close(master)
    os.waitpid(pid, 0)
    return steps, bytes(output)


def listen(master: int, screen: GhosttyScreen, patience: float) -> bytes:
    """Return what the program prints until it rests, and answer what it asks."""
    heard = bytearray()
    end = time.monotonic() + patience
    while time.monotonic() < end and select.select([master], [], [], QUIET)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:
            break  # it has ended
        heard += data
        screen.feed(data, answering=True)
        for reply in screen.replies():
            send(master, reply.data)
    return bytes(heard)


def send(master: int, data: bytes) -> bool:
    try:
        return bool(os.write(master, data))
    except OSError:
        return False


def resize(master: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def write(scene: Scene, steps: list[int | tuple[int, int]], data: bytes) -> None:
    """Write the format that `tests/support/recordings.py` reads; the same input, the same file."""
    head = json.dumps({"size": scene.size, "steps": steps}).encode()
    path = RECORDINGS / f"{scene.name}.gz"
    path.write_bytes(gzip.compress(head + b"\n" + data, 9, mtime=0))


def set_stage() -> None:
    """Make the directory the scenes play in."""
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir()
    shutil.copy(ROOT / "tools" / "screen_play.py", STAGE / "play.py")
    shutil.copy(ROOT / "tools" / "steps.py", STAGE / "code.py")
    water = "".join(f"{n:3} The reef holds, and the water comes and goes.\n" for n in range(200))
    (STAGE / "text.txt").write_text(water)
    (STAGE / "notes.txt").write_text("kelp\nholdfast\nstipe\nblade\n" * 5)
    (STAGE / "wide.txt").write_text(
        "漢字と emoji 🙂 in long lines that wrap somewhere. " * 6 + "\n" * 2 + "短い\n" * 30
    )
    colored = "".join(
        f"\x1b[3{n % 8}mline {n}\x1b[m and \x1b[1;4{n % 7}m back \x1b[m\n" for n in range(90)
    )
    (STAGE / "colored.txt").write_text(colored)
    (STAGE / "reef.1").write_text(
        ".TH REEF 1\n.SH NAME\nreef \\- holds\n.SH DESCRIPTION\n"
        + "It \\fBholds\\fP \\fIfast\\fP.\n.PP\n" * 60
    )
    (STAGE / "gitconfig").write_text(
        "[user]\n name = Diver\n email = diver@example.org\n[init]\n defaultBranch = main\n"
    )
    set_repository()


def set_repository() -> None:
    when = {"GIT_AUTHOR_DATE": "2024-01-01T12:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T12:00:00Z"}

    def git(*words: str) -> None:
        command = ["git", *words]
        subprocess.run(command, cwd=STAGE, env=ENVIRONMENT | when, check=True, capture_output=True)

    git("init")
    for number in range(14):
        if number % 5 == 3:
            git("checkout", "-q", "-b", f"branch{number}")
        (STAGE / "sea.txt").write_text(
            "".join(f"wave {n} of {number}\n" for n in range(number + 3))
        )
        git("add", "sea.txt")
        git("commit", "-q", "-m", f"The sea, {number} times over")
        if number % 5 == 4:
            branch = f"branch{number - 1}"
            git("checkout", "-q", "main")
            git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
