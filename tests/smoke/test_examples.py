"""The scripts in `examples/` do what they say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_two_clients_share_a_session() -> None:
    said = subprocess.run(
        [sys.executable, ROOT / "examples" / "two_clients.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    ).stdout.splitlines()

    for wanted in (
        "owns it: ann's terminal",
        "OWNER_REQUIRED: session",
        "--takeover",
        "it is owned by bob's script",
        r"sees b'ready\r\nhello\r\n'",
        "exited by signal 9",
    ):
        assert any(wanted in line for line in said), wanted
    assert " exit {" in said[-1]
