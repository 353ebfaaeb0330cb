"""Whose output is sent next."""

import pytest

from holdfast.daemon.deliveries import Deliveries
from tests.support.hand_loop import HandLoop


class Work:
    """So many shares, of which one may fail."""

    def __init__(self, name: str, shares: int, log: list[str], *, fails_at: int = 0) -> None:
        self._name = name
        self._left = shares
        self._log = log
        self._fails_at = fails_at

    def deliver(self) -> bool:
        self._log.append(self._name)
        self._left -= 1
        if self._left == self._fails_at - 1:
            raise OSError("no such file")
        return self._left > 0


def test_each_turn_of_the_loop_is_one_session() -> None:
    loop, log = HandLoop(), list[str]()
    deliveries = Deliveries(loop.as_loop)
    for name, shares in (("a", 3), ("b", 1), ("c", 2)):
        deliveries.add(Work(name, shares, log))
    loop.turn()

    assert log == ["a"]
    loop.rest()
    assert log == ["a", "b", "c", "a", "c", "a"]


def test_one_that_fails_delays_neither_itself_nor_the_others() -> None:
    loop, log = HandLoop(), list[str]()
    deliveries = Deliveries(loop.as_loop)
    deliveries.add(Work("bad", 3, log, fails_at=3))
    deliveries.add(Work("good", 2, log))

    with pytest.raises(OSError, match="no such file"):
        loop.turn()
    loop.rest()
    assert log == ["bad", "good", "bad", "good", "bad"]
