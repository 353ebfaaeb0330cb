"""What every message of protocol v1 is made of.

Wire rules: kinds are never reused; fields are only ever added, and always with a
default; unknown fields are skipped. Texts that the system knows as bytes (paths,
arguments, environment) stay bytes: they need not be UTF-8.
"""

import enum

from msgspec import Struct


class Role(enum.Enum):
    """What a client may do: change things, or only look."""

    CONTROL = "control"
    STREAM = "stream"


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that travels in a control frame."""
