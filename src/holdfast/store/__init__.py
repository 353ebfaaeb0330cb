"""The files of a session: its log, its timeline, its row in the table; and the journal of all.

A driver: it moves bytes and knows no rule of sessions, viewers or retention.
"""

from holdfast.store.journal import Audit, Event, Journal
from holdfast.store.log import LogWriter, Place
from holdfast.store.log_reader import LogReader
from holdfast.store.sessions import JSON, SessionTable
from holdfast.store.timeline import TimelineWriter
from holdfast.store.verify import verify

__all__ = [
    "JSON",
    "Audit",
    "Event",
    "Journal",
    "LogReader",
    "LogWriter",
    "Place",
    "SessionTable",
    "TimelineWriter",
    "verify",
]
