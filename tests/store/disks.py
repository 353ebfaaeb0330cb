"""Full disks and other limits: RLIMIT_* for everybody, a small tmpfs for root."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.home import until


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@contextmanager
def limited(what: int, value: int) -> Iterator[None]:
    """Lower a soft resource limit of this process for a block."""
    before = resource.getrlimit(what)
    resource.setrlimit(what, (value, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Path]:
    """A file system of its own; the test is skipped where none can be mounted."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no tmpfs can be mounted here; RLIMIT_FSIZE covers the same rule")
    try:
        yield path
    finally:
        # A process that was killed is gone before the files are closed that it had open.
        until(lambda: _is_unmounted(path), f"everybody to leave {path}")


def _is_unmounted(path: Path) -> bool:
    return subprocess.run(["umount", str(path)], check=False).returncode == 0
