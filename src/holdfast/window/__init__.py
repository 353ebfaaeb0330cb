"""A native window that shows an address: a viewer of its own process, which may vanish at any time.

A native loop owns its main thread until the window closes, so nothing else lives there: no server,
no watcher, no state. `python -m holdfast.window` is the window; only `qt.py` knows what it is made
of, and only that process imports it. Whoever wants one uses `opening.py`.
"""
