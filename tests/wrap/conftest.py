"""The same Holdfast of its own as the tests of the command line have."""

from tests.cli.conftest import hold

__all__ = ["hold"]
