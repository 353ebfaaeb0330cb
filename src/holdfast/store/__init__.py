"""What lasts: the log and the timeline of each session, and the journal of all.

A driver: it moves bytes and knows no rule of sessions, viewers or retention.
"""

from holdfast.store.journal import Audit, Event, Journal
from holdfast.store.journal_facts import JSON
from holdfast.store.kept import KeptList, kept
from holdfast.store.log import LogWriter, Place
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TimelineWriter
from holdfast.store.verify import verify

__all__ = [
    "JSON",
    "Audit",
    "Event",
    "Journal",
    "KeptList",
    "LogReader",
    "LogWriter",
    "Place",
    "TimelineWriter",
    "kept",
    "verify",
]
