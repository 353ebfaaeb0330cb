"""Every test run ends with plain counts, and hides nothing that did not run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PLUGIN = """\
from tests.support import pass_count

def pytest_configure(config):
    pass_count.install(config)
"""
MIXED = """\
import pytest

@pytest.fixture
def broken_afterwards():
    yield
    raise OSError

@pytest.fixture
def broken_before():
    raise OSError

def test_good(): pass
def test_bad(): assert 0
def test_bad_in_teardown(broken_afterwards): pass
def test_bad_in_setup(broken_before): pass
def test_skipped(): pytest.skip("no fish here")
@pytest.mark.xfail(reason="known to be wrong")
def test_expected_to_fail(): assert 0
"""
GOOD = "def test_good(): pass\n"
ONE_SKIPPED = f"""\
import pytest

{GOOD}
def test_skipped(): pytest.skip("no browser here")
"""
FILE_SKIPPED = 'import pytest\npytest.skip("no browser here", allow_module_level=True)\n'


def run(directory: Path, content: str, *, ci: str) -> tuple[int, list[str]]:
    """Run one test file in a process of its own; return its exit code and its lines."""
    (directory / "conftest.py").write_text(PLUGIN)
    (directory / "test_file.py").write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", directory],
        env=os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_the_last_line_counts_every_test_once(tmp_path: Path) -> None:
    _, lines = run(tmp_path, MIXED, ci="")
    assert lines[-1] == "tests: 1 passed, 3 failed, 2 skipped"


def test_skipped_tests_are_named_with_their_reasons(tmp_path: Path) -> None:
    _, lines = run(tmp_path, MIXED, ci="")
    assert lines[-3:-1] == [
        "skipped: test_file.py::test_skipped: no fish here",
        "skipped: test_file.py::test_expected_to_fail: known to be wrong",
    ]


def test_a_file_that_does_not_import_is_a_failure(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "import nothing_of_this_name\n", ci="")
    assert (code, lines[-1]) == (2, "tests: 0 passed, 1 failed, 0 skipped")


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_the_run_in_ci_alone(tmp_path: Path, ci: str, code: int) -> None:
    assert run(tmp_path, ONE_SKIPPED, ci=ci)[0] == code


def test_a_file_that_skips_itself_counts_as_skipped(tmp_path: Path) -> None:
    _, lines = run(tmp_path, FILE_SKIPPED, ci="true")
    assert lines[-1] == "tests: 0 passed, 0 failed, 1 skipped"


def test_ci_accepts_a_run_without_skips(tmp_path: Path) -> None:
    code, lines = run(tmp_path, GOOD, ci="true")
    assert (code, lines[-1]) == (0, "tests: 1 passed, 0 failed, 0 skipped")
