"""The client for code that is not asynchronous: the same names, the same rules.

from holdfast.blocking import connect

with connect() as client:
    session = client.create("make", "test")
    for item in session.output():
        ...
"""

from holdfast.client.attempts import Kind, State
from holdfast.client.sync import Client, connect
from holdfast.client.sync_events import Events
from holdfast.client.sync_mirroring import Mirror
from holdfast.client.sync_session import Output, Session
from holdfast.client.typing import HandedBack
from holdfast.client.view import Chunk, Gap, Snapshot, Tail

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
    "connect",
]
