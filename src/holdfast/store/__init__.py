"""The files of a session: its log, its timeline, its row in the table.

A driver: it moves bytes and knows no rule of sessions, viewers or retention.
"""

from holdfast.store.kept import KeptList, kept
from holdfast.store.log import LogWriter, Place
from holdfast.store.log_reader import LogReader
from holdfast.store.sessions import JSON, SessionTable
from holdfast.store.timeline import TimelineWriter
from holdfast.store.verify import verify

__all__ = [
    "JSON",
    "KeptList",
    "LogReader",
    "LogWriter",
    "Place",
    "SessionTable",
    "TimelineWriter",
    "kept",
    "verify",
]
