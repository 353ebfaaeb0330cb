"""Idle means idle."""

import re
import time
from pathlib import Path

import pytest

from tests.support.home import running_home, until

pytestmark = pytest.mark.slow


def wake_ups(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return sum(int(count) for count in re.findall(r"ctxt_switches:\s+([0-9]+)", text))


def test_twenty_idle_sessions_wake_nobody(tmp_path: Path) -> None:
    """T23: keeper, daemon and spare sleep until something happens."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            for _ in range(20):
                home.create(client, "sleep", "1000")
        status = home.with_spare()
        pids = [status["keeper"]["pid"], status["daemon"]["pid"], status["daemon"]["spare"]]

        def awake() -> list[int]:
            before = [wake_ups(pid) for pid in pids]
            time.sleep(1.0)  # idleness is the experiment
            return [wake_ups(pid) - count for pid, count in zip(pids, before, strict=True)]

        # What the tests themselves asked is still being put away for a moment.
        until(lambda: awake() == [0, 0, 0], "a second without a wake-up", patience=5)
