"""The line that says in a log that a program was started again, and why the screen is plain.

The program before may have died in the alternate screen, with the mouse on, in the middle
of a sequence. These bytes end all that without clearing what can be seen.
"""

_RESET = (
    "\x18"  # ends a sequence or string that was cut in two
    "\x1b\\"
    "\x1b[?2026l"  # a frame that was never finished would hide what follows
    "\x1b[?1049l\x1b[?47l"  # the main screen
    "\x1b7\x1b[r\x1b[?6l\x1b8"  # scroll region and origin, the cursor where it was
    "\x1b[?9;1000;1001;1002;1003;1004;1005;1006;1015;1016l"  # mouse and focus reports
    "\x1b[?1;5;66;2004;2031;2048l\x1b>"  # keys, paste, colours and sizes as usual
    "\x1b[=0;1u\x1b[>4m"  # kitty's and xterm's other keys
    "\x1b[?25h\x1b[?7h\x1b[4l\x1b[20l"  # cursor, wrapping, no insert mode
    "\x1b(B\x0f\x1b[0m"  # letters and colours
)


def marker(text: str) -> bytes:
    """Return the bytes that reset a terminal and show *text* on a line of its own."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return f"{_RESET}\r\n\x1b[2m── {shown} ──\x1b[0m\r\n".encode(errors="replace")
