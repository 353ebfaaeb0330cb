"""A session whose output may still grow, whoever has its terminal."""

from typing import Protocol

from holdfast.daemon.printed import Printed
from holdfast.daemon.record import Record


class Growing(Protocol):
    """What viewers and the housekeeping need to know of it."""

    record: Record
    printed: Printed
    stalled: str | None
    """Why its output goes nowhere for a while."""

    def hold_back(self) -> None:
        """Let the program wait, for a viewer that its owner wants it to wait for."""

    def go_on(self) -> None:
        """Let the program go on."""
