"""The keeper: the small process that holds PTYs and children, and must not die.

Standard library only, and nothing of ours but this package: it runs as `python -I -S`
and outlives upgrades of everything else. Its wire format (`wire.py`) only grows.
"""
