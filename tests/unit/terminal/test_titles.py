"""The user's title is kept, whatever a program does with the stack of them."""

import re

from holdfast.terminal.titles import POP, PUSH, Titles

_TOKEN = re.compile(rb"\x1b\]2;([^\x07]*)\x07|\x1b\[(2[23]);[02]t")


def shown(outputs: list[bytes]) -> bytes:
    """Return the title of a terminal with a stack, after all that and after leaving."""
    titles, title, stack = Titles("it"), b"the user's", list[bytes]()
    written = b"".join(titles.feed(output) + output for output in outputs) + titles.undo()
    for token in _TOKEN.finditer(written):
        if token[2] == b"22":
            stack.append(title)
        elif token[2] == b"23":
            title = stack.pop() if stack else title
        else:
            title = token[1]
    return title


SHELL, EDITOR = b"\x1b]2;shell\x07", b"\x1b]2;editor\x07"


def test_a_program_that_is_left_has_put_its_own_above() -> None:
    assert shown([SHELL, PUSH, EDITOR]) == b"the user's"


def test_a_program_that_has_taken_its_own_away() -> None:
    assert shown([SHELL, PUSH + EDITOR, POP, SHELL]) == b"the user's"


def test_a_program_takes_away_what_it_put_there_before_we_came() -> None:
    assert shown([EDITOR, POP + SHELL]) == b"the user's"


def test_a_program_that_never_sets_a_title_is_no_concern() -> None:
    assert shown([PUSH, b"text"]) == b"the user's"
