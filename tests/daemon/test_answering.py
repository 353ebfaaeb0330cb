"""Answers to queries on a real PTY and a real pipe: once, wherever a daemon died."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from holdfast.daemon.input_page import ANSWERS, Page
from holdfast.daemon.keystrokes import ANSWER_ROOM, Input
from holdfast.errors import SessionGone
from holdfast.session.typed import PIECE, Pending
from tests.support.desk import Desk, desk

QUERY = 1000
"""Where it ends; its answer is longer than the query and than what lies between two."""


def with_input(on: Desk, page: Path, scene: Callable[[Input], Awaitable[None]]) -> None:
    """Play a scene with one daemon's input."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        typed = Input(loop, "abc", on.master, on.pipe, lambda: Page(page), can_splice=True)
        try:
            await scene(typed)
        finally:
            typed.close(lambda: SessionGone(session="abc"))

    asyncio.run(play())


@pytest.mark.parametrize(
    ("done", "left", "already"),
    [
        (0, b"", b""),  # noted, never written
        (0, b"hello\0", b""),  # written, not moved
        (0, b"lo\0", b"hel"),  # half moved
        (0, b"\0", b"hello"),  # moved, not noted as done
        (QUERY, b"\0", b"hello"),  # done, the sentinel is left
        (QUERY, b"", b"hello"),  # wholly applied
    ],
)
def test_an_answer_is_typed_once_wherever_the_daemon_before_died(
    tmp_path: Path, done: int, left: bytes, already: bytes
) -> None:
    """T10, T14: the reader asks again in any case."""
    with desk() as on:
        page = Page(tmp_path / "page")
        page.set_done(ANSWERS, done)
        page.pending = Pending(ANSWERS, QUERY)
        page.close()
        os.write(on.pipe, left)
        os.write(on.master, already)

        async def ask_again(typed: Input) -> None:
            typed.answer(QUERY, b"hello")
            typed.answer(QUERY + 1, b" you")
            await typed.put("ann", 0, b"!")
            assert (typed.settled(0), typed.answered) == (QUERY + 1, QUERY + 1)

        with_input(on, tmp_path / "page", ask_again)

        assert on.read(10) == b"hello you!"
        assert not on.has_more()


def test_what_a_terminal_has_answered_is_answered_no_more(tmp_path: Path) -> None:
    with desk() as on:

        async def first(typed: Input) -> None:
            assert typed.settled(100) == 100  # nothing tells: from now on
            typed.settle(QUERY)

        async def second(typed: Input) -> None:
            assert typed.settled(5) == QUERY
            for offset in (100, 500, QUERY, QUERY, QUERY + 3):
                typed.answer(offset, b"a")
            await typed.put("ann", 0, b"!")

        with_input(on, tmp_path / "page", first)
        with_input(on, tmp_path / "page", second)

        assert on.read(2) == b"a!"
        assert not on.has_more()


def test_a_program_that_does_not_read_has_few_answers_waiting(tmp_path: Path) -> None:
    with desk() as on:

        async def scene(typed: Input) -> None:
            for offset in range(20_000):
                typed.answer(offset + 1, b"0123456789")
            typed.answer(30_000, bytes(PIECE + 1))
            assert 0 < typed.queued <= ANSWER_ROOM + PIECE

        with_input(on, tmp_path / "page", scene)
