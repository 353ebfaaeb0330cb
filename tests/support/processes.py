"""What the system says about a process."""

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs; one whose new parent does not reap it does not."""
    try:
        return _stat(pid)[0] != "Z"
    except FileNotFoundError:
        return False


def cpu_seconds(pid: int) -> float:
    words = _stat(pid)
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def children(pid: int, state: str = "") -> list[int]:
    """Return the pids of its children, of those in *state* only."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = _stat(int(directory.name))
        except OSError:
            continue
        if int(words[1]) == pid and state in ("", words[0]):
            found.append(int(directory.name))
    return found


def _stat(pid: int) -> list[str]:
    """The fields from the state on; the name before them may have blanks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except ProcessLookupError as error:  # it ended between open and read
        raise FileNotFoundError from error
