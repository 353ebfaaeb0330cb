"""What a session is called when nobody has said."""

import pytest

from holdfast.cli.naming import name_for


@pytest.mark.parametrize(
    ("argv", "cwd", "name"),
    [
        ([b"make", b"-j4"], b"/src/shop", "make"),
        ([b"/usr/bin/make"], b"/src/shop", "make"),
        ([b"/bin/bash"], b"/src/shop", "shop"),
        ([b"zsh", b"-l"], b"/src/shop/", "shop"),
        ([b"-bash"], b"/src/shop", "shop"),
        ([b"sh", b"-c", b"make; make install"], b"/src/shop", "shop"),
        ([b"bash"], b"/", "bash"),
        ([b"fish"], b"/home/me/My Documents", "My-Documents"),
        ([b"./run me.sh"], b"/x", "run-me.sh"),
        ([b"\xff\xfe"], b"/x", "session"),
        ([b"caf\xc3\xa9"], b"/x", "café"),
    ],
)
def test_a_name(argv: list[bytes], cwd: bytes, name: str) -> None:
    assert name_for(argv, cwd) == name
