"""`hold ls` and `hold send` import next to nothing, and are the same as the ordinary ones.

What is imported is guarded here, by name; the times are measured in `benchmarks/cli.py`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from holdfast.cli import quick
from holdfast.client.quick import LONGEST, PROTOCOL
from holdfast.protocol.frames import LIMIT
from holdfast.protocol.messages import SessionInfo
from holdfast.protocol.version import OURS
from tests.support.hold import HOLD, Hold
from tests.support.home import until
from tests.support.proxy import DOWN, Proxy, proxied

CALLED = "import sys; from holdfast.cli import main; sys.exit(main())"
ORDINARY = "import sys; from holdfast.cli.dispatch import run; sys.exit(run(sys.argv[1:]))"
AGE = re.compile(r"\b(?:now|[0-9]+ s) *")
# Each takes a tenth of Python's own start, or more.
COSTLY = {
    "argparse", "asyncio", "collections", "contextlib", "dataclasses", "enum", "functools",
    "hashlib", "inspect", "json", "msgspec", "pathlib", "re", "shlex", "shutil", "signal",
    "socket", "sqlite3", "subprocess", "threading", "typing", "urllib",
}  # fmt: skip


def python(hold: Hold, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program.split("|"), *words],
        env=hold.environ,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


def imported(hold: Hold, program: str, *words: str) -> set[str]:
    done = python(hold, f"-X|importtime|-c|{program}", *words)
    assert done.returncode == 0, done
    rows = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {row.rpartition("|")[2].strip().partition(".")[0] for row in rows}


@pytest.mark.slow
def test_a_first_look_imports_nothing_costly(hold: Hold) -> None:
    """Nor does the guardian, which has to be there before the terminal is touched."""
    assert not imported(hold, "import holdfast.cli.first_look") & COSTLY


@pytest.mark.slow
@pytest.mark.parametrize("words", [["ls"], ["ls", "--all"], ["send", "one", "x", "--enter"]])
def test_nothing_costly_is_imported(hold: Hold, words: list[str]) -> None:
    hold.start("-n", "one", "--", "cat")

    own = imported(hold, CALLED, *words) - imported(hold, "pass")

    assert own & COSTLY == set()
    assert "holdfast" in own


@pytest.mark.slow
@pytest.mark.parametrize("words", [["ls"], ["ls", "--all"]])
def test_the_list_is_the_ordinary_one(hold: Hold, words: list[str]) -> None:
    hold.start("-n", "it's one", "--", "sh", "-c", "exec sleep 1000  # 'x'")
    hold.ok("run", "-n", "gone", "--", "true")

    listed = hold.ok(*words)

    assert AGE.sub("", listed) == AGE.sub("", python(hold, f"-c|{ORDINARY}", *words).stdout)
    assert "sleep 1000" in listed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["send", "nobody", "x"], 3),
        (["send", "one"], 2),
        (["send"], 2),
        (["send", "one", "--entr", "x"], 2),
        (["ls", "--al"], 2),
        (["ls", "x"], 2),
    ],
)
def test_what_fails_is_said_in_the_ordinary_words(hold: Hold, words: list[str], code: int) -> None:
    hold.start("-n", "one", "--", "cat")

    done, ordinary = hold.run(*words), python(hold, f"-c|{ORDINARY}", *words)

    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode() == ordinary.stderr
    assert len(ordinary.stderr.splitlines()) == 2


@pytest.mark.slow
def test_send_starts_what_is_needed(hold: Hold) -> None:
    assert hold.run("send", "nobody", "x").returncode == 3
    assert hold.status()["daemon"]["state"] == "running"


@pytest.mark.slow
def test_the_token_is_shown(hold: Hold) -> None:
    (hold.home / "state").mkdir(mode=0o700)
    token = hold.home / "state" / "token"
    token.write_text("5f0e\n")
    token.chmod(0o600)
    hold.start("-n", "one", "--", "cat")

    assert "typing" not in imported(hold, CALLED, "ls")
    token.chmod(0o644)
    assert b"chmod 600" in hold.run("ls").stderr


@contextmanager
def behind_a_proxy(hold: Hold, tmp_path: Path) -> Iterator[tuple[Hold, Proxy]]:
    """Another home whose socket leads to the daemon of this one."""
    front = Hold(tmp_path / "front")
    for name in ("state", "run"):
        (front.home / name).mkdir(mode=0o700, parents=True)
    with proxied(hold.home / "run" / "hold.sock", front.home / "run" / "hold.sock") as proxy:
        yield front, proxy


@pytest.mark.slow
def test_what_was_cut_off_is_not_typed_twice(hold: Hold, tmp_path: Path) -> None:
    """T33. Wherever the answers are cut, it is done again in the ordinary way, and once."""
    hold.start("-n", "one", "--", "cat")
    with behind_a_proxy(hold, tmp_path) as (front, proxy):
        front.ok("send", "one", "line 0.", "--enter")
        size = proxy.counts_of(0)[1].size
        cuts = [1, *range(size // 6, size, size // 6), size - 1]
        for number, cut in enumerate(cuts, 1):
            before = proxy.counts().accepted
            proxy.future.cut_after(cut, DOWN)
            sending = subprocess.Popen(
                [*HOLD, "send", "one", f"line {number}.", "--enter"], env=front.environ
            )
            proxy.connection(before)
            proxy.future.heal()
            assert sending.wait(40) == 0
            assert proxy.counts().accepted > before + 1

    hold.ok("send", "one", "the end", "--enter")
    until(lambda: hold.ok("output", "one").count("the end") == 2, "all to be typed and printed")
    shown = hold.ok("output", "one")
    assert [shown.count(f"line {each}.") for each in range(len(cuts) + 1)] == [2] * (len(cuts) + 1)


@pytest.mark.slow
def test_another_version_is_for_the_ordinary_client(hold: Hold, tmp_path: Path) -> None:
    """T17. What a newer or older daemon says is not read by hand."""
    copy = tmp_path / "src"
    shutil.copytree(Path(quick.__file__).parents[2], copy)
    words = copy / "holdfast" / "__init__.py"
    words.write_text(re.sub(r'__version__ = ".*"', '__version__ = "99.0"', words.read_text()))
    hold.start("-n", "one", "--", "cat")
    hold.environ["PYTHONPATH"] = os.fspath(copy)

    assert "msgspec" in imported(hold, CALLED, "ls")
    assert "one" in hold.ok("ls")


def test_a_field_that_is_left_out_is_what_the_message_says() -> None:
    fields = {each.name: each for each in msgspec.structs.fields(SessionInfo) if not each.required}
    defaults = {
        name: field.default_factory() if callable(field.default_factory) else field.default
        for name, field in fields.items()
    }

    assert defaults == quick.LEFT_OUT


def test_it_speaks_the_version_of_the_others() -> None:
    assert OURS.oldest <= PROTOCOL <= OURS.newest
    assert LONGEST == LIMIT
