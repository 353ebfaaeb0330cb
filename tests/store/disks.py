"""Full disks and other limits: RLIMIT_* and a small tmpfs."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest

from tests.support.home import ROOT, until


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


class RanElsewhere(Exception):
    """A test was run by somebody who may do more, and has passed."""


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Path]:
    """A file system of its own; the test is skipped where none can be mounted."""
    if os.geteuid() != 0:
        _have_it_run_by_root_of_a_namespace()
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


def _have_it_run_by_root_of_a_namespace() -> NoReturn:
    """Run the present test anew as one who may mount, and raise what comes of it.

    The disk must be there for the test too, and SQLite follows no link into a namespace.
    """
    inside = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a tmpfs here: there are no user namespaces")
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    with TemporaryDirectory() as place:
        options = ["--quiet", "-p", "no:cacheprovider", f"--basetemp={place}/tests"]
        pytest_ = [sys.executable, "-m", "pytest", *options, test]
        done = subprocess.run([*inside, *pytest_], cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        pytest.fail(done.stdout.decode(errors="replace"), pytrace=False)
    raise RanElsewhere
