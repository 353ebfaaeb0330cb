"""How this daemon is: counted, looked up when somebody asks, and put into Prometheus' words."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from holdfast import __version__
from holdfast.daemon.clients import Clients
from holdfast.daemon.reporting import last_complaint
from holdfast.daemon.sessions import Sessions
from holdfast.errors import OffsetPruned, OwnerRequired
from holdfast.metrics.counters import BOUNDS
from holdfast.metrics.exposition import Family, histogram_text, text_of
from holdfast.protocol.messages import Echo, Stats

STARTED = time.time()


class Measure(NamedTuple):
    """One metric: its name without `holdfast_`, and how it is read from the statistics."""

    name: str
    kind: str
    help: str
    read: Callable[[Stats], float | Mapping[str, float]]
    label: str = ""


MEASURES = (
    Measure("sessions", "gauge", "Sessions by state.", lambda s: s.sessions, "state"),
    Measure(
        "sessions_stalled", "gauge", "Sessions the disk takes nothing of.", lambda s: s.stalled
    ),
    Measure(
        "recoveries",
        "gauge",
        "Known sessions by what became of them.",
        lambda s: s.recovery,
        "outcome",
    ),
    Measure("connections", "gauge", "Clients that have said hello.", lambda s: s.connections),
    Measure("viewers", "gauge", "Who looks at sessions.", lambda s: s.viewers),
    Measure("lag_bytes", "gauge", "How far the last viewer is behind.", lambda s: s.lag),
    Measure("followers", "gauge", "Requests that wait for output.", lambda s: s.followers),
    Measure("subscribers", "gauge", "Subscriptions that wait for events.", lambda s: s.subscribers),
    Measure("typed_bytes_total", "counter", "Bytes that terminals took.", lambda s: s.bytes_in),
    Measure("printed_bytes_total", "counter", "Bytes put into logs.", lambda s: s.bytes_out),
    Measure("pruned_bytes_total", "counter", "Bytes retention gave up.", lambda s: s.pruned),
    Measure(
        "gaps_total", "counter", "Runs of bytes that who asked was not sent.", lambda s: s.gaps
    ),
    Measure("role_denied_total", "counter", "Requests a role forbids.", lambda s: s.role_denied),
    Measure(
        "owner_denied_total",
        "counter",
        "Changes only the owner may make.",
        lambda s: s.owner_denied,
    ),
    Measure("failures_total", "counter", "Failed requests by code.", lambda s: s.failures, "code"),
    Measure(
        "restarts_total", "counter", "Restarts of the daemon by its keeper.", lambda s: s.restarts
    ),
    Measure(
        "input_queue_bytes", "gauge", "Input that waits for terminals.", lambda s: s.input_queued
    ),
    Measure("journal_queue", "gauge", "Rows that wait to be written.", lambda s: s.journal_queued),
    Measure("newest_event", "gauge", "The highest number of an event.", lambda s: s.newest_event),
    Measure(
        "disk_bytes",
        "gauge",
        "What is kept, what may be, and what is free.",
        lambda s: {"logs": s.logs, "journal": s.journal, "budget": s.budget, "free": s.free},
        "of",
    ),
    Measure("reader_up", "gauge", "Whether a reader is there.", lambda s: int(s.reader > 0)),
    Measure("reader_sessions", "gauge", "Sessions the reader follows.", lambda s: s.followed),
    Measure("reader_unread_bytes", "gauge", "Output it has not read yet.", lambda s: s.unread),
    Measure("reader_fenced", "gauge", "Sessions it cannot read.", lambda s: s.fenced),
    Measure("start_time_seconds", "gauge", "When this daemon began.", lambda s: s.started),
)
ECHO = "echo_seconds"
ECHO_HELP = "From a key taken by a terminal to the next byte its program prints, at most 5 s."


class Measures:
    """Looks at everything there is, when asked."""

    def __init__(self, sessions: Sessions, clients: Clients, journal: Path) -> None:
        self._sessions = sessions
        self._clients = clients
        self._journal = journal

    def stats(self) -> Stats:
        """Return how this daemon is now, and what it has counted since it began."""
        sessions, counters = self._sessions, self._sessions.counters
        records, living = sessions.records.all(), sessions.living_ones
        growing = sessions.growing_ones
        complaint = last_complaint()
        files = self._journal.parent.glob(f"{self._journal.name}*")
        return Stats(
            pid=os.getpid(),
            version=__version__,
            started=STARTED,
            restarts=sessions.restarts,
            pump=str(sessions.ready.get("pump", "")),
            pump_reason=str(sessions.ready.get("pump_reason", "")),
            sessions=Counter(record.state.value for record in records),
            recovery=Counter(record.recovery for record in records if record.recovery),
            stalled=sum(session.stalled is not None for session in growing),
            connections=self._clients.count,
            followers=sum(session.printed.waiting for session in growing),
            subscribers=sessions.events.subscribers,
            bytes_in=counters.bytes_in,
            bytes_out=counters.bytes_out,
            pruned=sessions.housekeeping.pruned,
            gaps=counters.gaps + counters.failures[OffsetPruned.code],
            viewers=sessions.viewing.all,
            lag=sessions.viewing.most_lag,
            role_denied=counters.role_denied,
            owner_denied=counters.failures[OwnerRequired.code],
            failures=dict(counters.failures),
            input_queued=sum(session.input.queued for session in living),
            journal_queued=sessions.events.unwritten,
            newest_event=sessions.events.newest,
            logs=sessions.housekeeping.used(
                (one.record.id, one.printed.log.end) for one in growing if not one.record.ephemeral
            ),
            journal=sum(path.stat().st_size for path in files),
            budget=sessions.housekeeping.budget,
            free=sessions.housekeeping.free,
            echo=Echo(bounds=[*BOUNDS], counts=[*counters.echo.counts], sum=counters.echo.sum),
            reader=sessions.reading.screens.pid,
            followed=sessions.reading.screens.followed,
            unread=sessions.reading.screens.unread,
            fenced=sessions.reading.screens.fenced,
            complaint=complaint.text if complaint else "",
            complained=complaint.time if complaint else 0.0,
        )

    def text(self) -> str:
        """Return the same for Prometheus."""
        return text_from(self.stats())


def text_from(stats: Stats) -> str:
    """Return statistics in the text format of Prometheus."""
    families = [_family(measure, measure.read(stats)) for measure in MEASURES]
    echo = stats.echo
    name = f"holdfast_{ECHO}"
    return text_of(families) + histogram_text(name, ECHO_HELP, echo.bounds, echo.counts, echo.sum)


def _family(measure: Measure, found: float | Mapping[str, float]) -> Family:
    values = found if isinstance(found, Mapping) else {"": found}
    return Family(f"holdfast_{measure.name}", measure.kind, measure.help, measure.label, values)
