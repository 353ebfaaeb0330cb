"""The names of ASGI, so that signatures can be read."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def headers_of(scope: Scope, name: bytes) -> list[str]:
    """Return every value of a header; its name is in lower case, as ASGI has it."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def peer_of(scope: Scope) -> str:
    """Return the address of who asks, without the port, which changes with each try."""
    return scope["client"][0] if scope.get("client") else "somebody"
