"""Hatch's hook: whatever makes a wheel of this tree builds the page first."""

import sys
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))  # we are loaded by our path alone

import node
import page
from steps import ROOT


class PageHook(BuildHookInterface[Any]):
    """Builds the page, with a Node of its own where the machine has none that will do."""

    def dependencies(self) -> list[str]:
        """Return what an isolated build has to install for us."""
        if page.is_built() or not node.needs_package():
            return []
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        return list(project["dependency-groups"]["node"])

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's
        """Build before files are collected; a failure is told in words, not as a traceback."""
        try:
            page.build()
        except page.BuildError as failure:
            self.app.abort(str(failure))
