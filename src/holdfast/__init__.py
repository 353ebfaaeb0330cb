"""Holdfast keeps interactive programs alive and lets viewers come and go.

    from holdfast import connect

    async with connect() as client:
        session = await client.create("make", "test")
        async for item in session.output():
            ...

`holdfast.blocking` has the same for scripts that are not asynchronous.
"""

TYPE_CHECKING = False  # `typing` costs half as much as Python's own start, and `hold` begins here
if TYPE_CHECKING:
    from holdfast.client.aio import Client, connect
    from holdfast.client.attempts import Kind, State
    from holdfast.client.hearing import Events
    from holdfast.client.mirroring import Mirror
    from holdfast.client.session import Output, Session
    from holdfast.client.typing import HandedBack
    from holdfast.client.view import Chunk, Gap, Snapshot, Tail

__version__ = "0.1.0"
__all__ = [
    "Chunk",
    "Client",
    "Events",
    "Gap",
    "HandedBack",
    "Kind",
    "Mirror",
    "Output",
    "Session",
    "Snapshot",
    "State",
    "Tail",
    "__version__",
    "connect",
]
_HOME = {
    "Client": "aio",
    "connect": "aio",
    "Kind": "attempts",
    "State": "attempts",
    "Events": "hearing",
    "Mirror": "mirroring",
    "Output": "session",
    "Session": "session",
    "HandedBack": "typing",
    "Chunk": "view",
    "Gap": "view",
    "Snapshot": "view",
    "Tail": "view",
}

if not TYPE_CHECKING:  # to a type checker a name that is not there has to be an error

    def __getattr__(name: str) -> object:
        # The command line imports this package too, and must not pay for asyncio.
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415

        found = globals()[name] = getattr(import_module(f"holdfast.client.{_HOME[name]}"), name)
        return found  # the next time it is simply there
