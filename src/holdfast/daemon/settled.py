"""Whether everything is known, also what the keeper does not hold; and who waits for it."""

import asyncio

from holdfast.errors import HoldfastError


class Settled:
    """Set once; who waits goes on in the order in which they came, before anybody later."""

    def __init__(self) -> None:
        self._is_set = False
        self._trouble: HoldfastError | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._for_one: dict[str, list[asyncio.Future[None]]] = {}

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Everything is known."""
        self._is_set = True
        self._wake()

    def fail(self, trouble: HoldfastError) -> None:
        """It takes longer; who waits, and who comes until it is over, hears why."""
        self._trouble = trouble
        self._wake()

    def handed(self, session: str) -> None:
        """This one is known; who asks for it need not wait for the others."""
        _wake(self._for_one.pop(session, []))

    async def wait(self) -> None:
        """Return when everything is known; raise why not if that takes longer."""
        # Not asyncio.wait_for: it goes on a turn of the loop later, behind who has just come.
        while not self._is_set:
            await self._turn(self._waiting)

    async def wait_for(self, session: str) -> None:
        """Return when this one is known, or there is none of that id; to be asked if it is not."""
        if not self._is_set:
            await self._turn(self._for_one.setdefault(session, []))

    async def _turn(self, waiting: "list[asyncio.Future[None]]") -> None:
        if self._trouble is not None:
            raise self._trouble
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        await turn

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for_one, self._for_one = self._for_one, {}
        _wake(waiting + [turn for turns in for_one.values() for turn in turns])


def _wake(waiting: "list[asyncio.Future[None]]") -> None:
    for turn in waiting:
        if not turn.done():  # it may have given up
            turn.set_result(None)
