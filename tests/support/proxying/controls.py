"""What can be done to proxied connections, in words. Each is in force once the call returns."""

from collections.abc import Callable
from dataclasses import replace

from tests.support.proxying.flow import NONE, CutPoint, Direction, Faults

Change = Callable[[Faults], Faults]
Apply = Callable[[tuple[Direction, ...], Change], None]
BOTH = tuple(Direction)


class Controls:
    """The faults of one connection, or of many. No direction means both."""

    def __init__(self, apply: Apply, cut: Callable[[], None]) -> None:
        self._apply = apply
        self._cut = cut

    def cut(self) -> None:
        """Close both sides at once; what is on its way is lost."""
        self._cut()

    def cut_after(
        self, size: int, direction: Direction = Direction.DOWN, *, frame: int = 0
    ) -> None:
        """Cut once exactly *size* bytes have passed; with *frame*, so many behind its end.

        `cut_after(0, frame=3)` cuts on the boundary, `cut_after(2, frame=3)` within the next
        header. Nothing behind the place passes that way; at once if it is behind us.
        """
        point = CutPoint(frame, size)
        self._change(direction, lambda faults: replace(faults, cut=point))

    def half_open(self, direction: Direction | None = None) -> None:
        """Swallow everything, the end too, and close nothing."""
        self._change(direction, lambda faults: replace(faults, swallows=True))

    def delay(self, seconds: float, direction: Direction | None = None) -> None:
        """Let each frame pass so long after it arrived."""
        self._change(direction, lambda faults: replace(faults, delay=seconds))

    def throttle(self, rate: float, direction: Direction | None = None) -> None:
        """Let so many bytes pass a second."""
        if rate <= 0:
            raise ValueError(f"{rate:g} bytes per second; freeze lets nothing pass")
        self._change(direction, lambda faults: replace(faults, rate=rate))

    def duplicate(self, frame: int, direction: Direction = Direction.DOWN) -> None:
        """Let the frame that arrives as this one, from 1, pass twice."""
        self._change(
            direction, lambda faults: replace(faults, duplicated=faults.duplicated | {frame})
        )

    def reorder(self, frame: int, direction: Direction = Direction.DOWN) -> None:
        """Hold a frame back until the next has passed, or the direction ends."""
        self._change(
            direction, lambda faults: replace(faults, held_back=faults.held_back | {frame})
        )

    def freeze(self, direction: Direction | None = None) -> None:
        """Let nothing move, be read or be noticed until `thaw`; then everything goes on."""
        self._change(direction, lambda faults: replace(faults, frozen=True))

    def thaw(self, direction: Direction | None = None) -> None:
        self._change(direction, lambda faults: replace(faults, frozen=False))

    def heal(self, direction: Direction | None = None) -> None:
        """Take every fault away. What was swallowed stays lost."""
        self._change(direction, lambda _: NONE)

    def _change(self, direction: Direction | None, change: Change) -> None:
        self._apply((direction,) if direction else BOTH, change)
