"""A pytest plugin: names every skipped test, and ends the run with one plain line of counts."""

import os
import sys
from collections.abc import Generator

import pytest


def install(config: pytest.Config) -> None:
    """Count in this run."""
    config.pluginmanager.register(PassCount(must_be_complete=os.environ.get("CI") == "true"))


class PassCount:
    """Counts tests, not phases: one that fails only in its teardown has failed."""

    def __init__(self, *, must_be_complete: bool) -> None:
        self._must_be_complete = must_be_complete
        self._passed: set[str] = set()
        self._failed: set[str] = set()
        self._skipped: dict[str, str] = {}  # with the reason

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that cannot be collected, or skips itself whole, as one test."""
        self._count(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase: setup, call or teardown."""
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid)
        self._count(report)

    def _count(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
        elif report.skipped:
            # An expected failure is reported as skipped too, with its own reason.
            reason = getattr(report, "wasxfail", "")
            if not reason and isinstance(report.longrepr, tuple):
                reason = report.longrepr[2].removeprefix("Skipped: ")
            self._skipped[report.nodeid] = reason

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Let a skipped test fail the run where everything can be had."""
        result = yield
        if self._skipped and self._must_be_complete and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Write after everybody else, so that the counts are the last line."""
        lines = [f"skipped: {test}: {reason}" for test, reason in self._skipped.items()]
        if lines and self._must_be_complete:
            lines.append("CI=true: a skipped test counts as a failure")
        lines.append(
            f"tests: {len(self._passed - self._failed)} passed, "
            f"{len(self._failed)} failed, {len(self._skipped)} skipped"
        )
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
        sys.stdout.flush()
