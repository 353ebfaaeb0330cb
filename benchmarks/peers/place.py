"""Where a measurement takes place, and how its figures are said."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.programs import Programs
from benchmarks.peers.receiver import Client
from benchmarks.peers.terminal import Terminal
from tests.support.home import Home, running_home


class Place(NamedTuple):
    """A directory, a daemon in it, and what ends with both."""

    directory: Path
    home: Home
    owned: ExitStack

    def text(self, text: bytes) -> Path:
        path = self.directory / "text"
        path.write_bytes(text)
        return path

    def programs(self, name: str) -> Programs:
        found = Programs(self.directory / name)
        self.owned.callback(found.end)
        return found

    def session(self, command: list[str]) -> str:
        with self.home.client() as client:
            return self.home.create(client, *command).id

    def looking(self, session: str, count: int = 1) -> list[Client]:
        path = self.home.paths.socket
        names = [f"{session}-{number}" for number in range(count)]
        clients = [Client(path, session, name, self.owned) for name in names]
        return [client.ready() for client in clients]

    def enter(self, terminal: Terminal) -> Terminal:
        return self.owned.enter_context(terminal)


@contextmanager
def fresh_place() -> Iterator[Place]:
    with (
        tempfile.TemporaryDirectory() as directory,
        running_home(Path(directory) / "h") as home,
        ExitStack() as owned,
    ):
        yield Place(Path(directory), home, owned)


def verdict(what: str, measured: float, bar: float, *, at_least: bool, unit: str = "x") -> None:
    met = measured >= bar if at_least else measured <= bar
    sign = ">=" if at_least else "<="
    said = "met" if met else "MISSED"
    print(f"  {what:42} {measured:9.3f}{unit} (bar {sign} {bar:g}{unit}): {said}", flush=True)


def ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(above, below, strict=True))
