"""`examples/follow.py` prints what its session prints, whatever happens to the daemon."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.client.attempts import LASTED
from tests.support.flood import Flood
from tests.support.home import ROOT, running_home, until

KILLS = 10
# Connections that do not last are followed by pauses of 0, 1, 2, 4 ... seconds. So after every
# third kill one is left alone until it counts as good: ten kills then take half a minute.
IN_A_ROW = 3


@pytest.mark.slow
def test_a_script_of_twenty_lines_survives_ten_kills_of_the_daemon(tmp_path: Path) -> None:
    printed = tmp_path / "printed"
    with (
        running_home(tmp_path / "h") as home,
        home.client() as client,
        printed.open("wb") as output,
    ):
        flood = Flood(home, client, pause=0.01)
        script = subprocess.Popen(
            [sys.executable, ROOT / "examples" / "follow.py", flood.id],
            env={**home.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=output,
            stderr=subprocess.PIPE,
        )
        try:
            for number in range(KILLS):
                grows(printed)
                if number and number % IN_A_ROW == 0:
                    time.sleep(LASTED)
                home.next_daemon(home.kill_daemon())
            grows(printed)
            flood.finish(client)
            _, complaints = script.communicate(timeout=20)
        finally:
            script.kill()
            script.communicate()
        log = home.output(client, flood.id)

    assert (script.returncode, complaints) == (0, b"")
    assert printed.read_bytes() == log


def grows(file: Path) -> None:
    """Wait until more is printed: the script is connected."""
    before = file.stat().st_size
    until(lambda: file.stat().st_size > before, "more to be printed")
