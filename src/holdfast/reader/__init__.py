"""The reader's side: what the bytes of a log look like on a screen.

It knows logs and screens, and no client. Native code that parses what programs print lives
behind `model.py`, in one file, because it is the part that may crash.
"""
