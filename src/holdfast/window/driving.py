"""Commands to a window, for tests, scripts and agents: what its pipe brings, and the answers."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Answer = Callable[[object], None]
Command = Mapping[str, Any]


class Drivable(Protocol):
    """What a window can be told to do."""

    def evaluate(self, script: str, answer: Answer) -> None:
        """Answer with the value of an expression in the page."""

    def screenshot(self, file: str) -> bool:
        """Write what it looks like as a PNG; return whether that could be done."""

    def state(self) -> dict[str, object]:
        """Return its title, where it is, and how large."""

    def arrange(self, sides: Mapping[str, int], *, maximised: bool | None) -> None:
        """Change width and height, x and y, or whether it fills the screen."""

    def block(self, seconds: float) -> list[float]:
        """Hold its loop up; return from when to when."""

    def close(self) -> bool:
        """Close it."""


def obey(window: Drivable, command: Command, answer: Answer) -> None:
    """Do what a command says; raise ValueError or another of FAULTS when it makes no sense."""
    match command.get("do"):
        case "evaluate":
            window.evaluate(str(command["script"]), answer)
        case "screenshot":
            answer(window.screenshot(str(command["file"])))
        case "state":
            answer(window.state())
        case "arrange":
            sides = {name: int(command[name]) for name in SIDES if name in command}
            window.arrange(sides, maximised=command.get("maximised"))
            answer(None)
        case "block":
            answer(window.block(float(command["seconds"])))
        case "close":
            answer(None)
            window.close()
        case other:
            raise ValueError(f"no such command: {other}")


SIDES = ("width", "height", "x", "y")
FAULTS = (KeyError, TypeError, ValueError, OverflowError)
