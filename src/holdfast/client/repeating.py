"""Which requests may be made again after they were cut off, and what makes them the same one.

A daemon may die at any moment, so a call that is cut off is made again wherever that cannot do
anything twice. Here that is every request: reads change nothing, a create or a signal carries
a token, input an offset, and a size, a name or an end that is asked for twice is the same
size, name or end.
"""

import os
import time

from msgspec.structs import replace

from holdfast.protocol import codec
from holdfast.protocol import messages as m
from holdfast.protocol.messages import REQUESTS, Message, Role

REPEATABLE = (
    m.Create,
    m.Input,
    m.Send,
    m.Resize,
    m.Kill,
    m.Signal,
    m.Rename,
    m.KillAll,
    m.Restore,
    m.Clear,
    m.Forget,
    m.Claim,
    m.Takeover,
    m.Release,
    m.Register,
    m.Append,
    m.Skip,
    m.End,
    m.RecordCommand,
)


def random_id() -> str:
    """Return an id that nobody else has: for clients and creation tokens."""
    return os.urandom(10).hex()


def is_repeatable(message: Message) -> bool:
    """Whether a request that was cut off may be sent again."""
    return isinstance(message, REPEATABLE) or (REQUESTS[codec.kind_of(message)].role is Role.STREAM)


def stamped(message: Message) -> Message:
    """Return a request with what makes it the same one when it is sent again."""
    if isinstance(message, m.Create) and not message.creation:
        return replace(message, creation=random_id())
    if isinstance(message, m.Signal) and not message.token:
        return replace(message, token=random_id())
    if isinstance(message, m.KillAll) and not message.asked:
        return replace(message, asked=time.time())
    return message
