"""A program that asks its terminal who it is, each time a key is typed, and prints the answers."""

import os
import termios
import tty

QUESTIONS = b"\x1b]11;?\x1b\\\x1b]4;1;?\x1b\\\x1b[>c\x1b[c"  # the last one is always answered

tty.setraw(0, termios.TCSANOW)
os.write(1, b"ready\r\n")
while key := os.read(0, 1):
    os.write(1, QUESTIONS)
    found = b""
    while not (found.endswith(b"c") and b"\x1b[?" in found):
        found += os.read(0, 1)
    os.write(1, b"%s said %s.\r\n" % (key, found.replace(b"\x1b", b"^").hex(" ").encode()))
