"""Keys by their names: the bytes that xterm sends for them."""

import pytest

from holdfast.cli.exits import Usage
from holdfast.cli.keys import bytes_of, depends_on_mode


@pytest.mark.parametrize(
    ("names", "sent"),
    [
        ("a", b"a"),
        ("é", "é".encode()),
        ("C-c", b"\x03"),
        ("C-C", b"\x03"),
        ("C-c,Up", b"\x03\x1b[A"),
        ("M-x", b"\x1bx"),
        ("C-M-x", b"\x1b\x18"),
        ("M-C-x", b"\x1b\x18"),
        ("C-Space", b"\x00"),
        ("C-@", b"\x00"),
        ("C-[", b"\x1b"),
        ("C-\\", b"\x1c"),
        ("C-_", b"\x1f"),
        ("C-?", b"\x7f"),
        ("Enter", b"\r"),
        ("Return", b"\r"),
        ("Tab", b"\t"),
        ("S-Tab", b"\x1b[Z"),
        ("BackTab", b"\x1b[Z"),
        ("Esc,:,q,Enter", b"\x1b:q\r"),
        ("Comma,-", b",-"),
        ("Backspace", b"\x7f"),
        ("Home,End", b"\x1b[H\x1b[F"),
        ("PageUp,PgDn", b"\x1b[5~\x1b[6~"),
        ("Insert,Delete", b"\x1b[2~\x1b[3~"),
        ("F1,F4,F5,F12", b"\x1bOP\x1bOS\x1b[15~\x1b[24~"),
        ("C-Right,S-F1,M-PageUp", b"\x1b[1;5C\x1b[1;2P\x1b[5;3~"),
        ("C-S-Left", b"\x1b[1;6D"),
        (" Up , Down ", b"\x1b[A\x1b[B"),
    ],
)
def test_what_is_sent(names: str, sent: bytes) -> None:
    assert bytes_of(names) == sent


def test_cursor_keys_follow_the_mode_unless_something_is_held() -> None:
    assert bytes_of("Up,Home,C-Up,F1,PageUp", application=True) == (
        b"\x1bOA\x1bOH\x1b[1;5A\x1bOP\x1b[5~"
    )
    assert depends_on_mode("x,Up")
    assert not depends_on_mode("x,C-Up,F1,Enter")


@pytest.mark.parametrize(
    ("names", "what", "fix"),
    [
        ("Upp", "there is no key 'Upp'", "did you mean Up?"),
        ("enter", "there is no key 'enter'", "did you mean Enter?"),
        ("C-é", "there is no key 'C-é'", "write one character"),
        ("C-Enter", "there is no key 'C-Enter'", "write one character"),
        ("a,,b", "--keys 'a,,b' has an empty key", "a comma itself"),
        ("", "--keys '' has an empty key", "a comma itself"),
    ],
)
def test_mistakes(names: str, what: str, fix: str) -> None:
    with pytest.raises(Usage) as caught:
        bytes_of(names)

    assert caught.value.what == what
    assert caught.value.fix.startswith(fix)
