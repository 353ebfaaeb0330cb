"""Protocol v1: bytes in, events out, and back. No I/O, no clock.

Read `state.py` first: the rules of a connection are one table there.
"""
