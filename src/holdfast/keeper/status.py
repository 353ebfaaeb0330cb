"""What the keeper says of itself and its daemon: `hold daemon status`, and why a call hangs."""

import os
import time

from holdfast.keeper.children import is_stopped
from holdfast.keeper.plain import TYPE_CHECKING
from holdfast.keeper.service import Service
from holdfast.keeper.wire import VERSION, Body

if TYPE_CHECKING:
    from holdfast.keeper.keeper import Keeper

SILENT = "it holds the sessions and has not answered yet; `hold daemon restart` wakes it"
STOPPED = "it was stopped by a signal; `hold daemon restart` mends that"


def status_of(keeper: "Keeper") -> Body:
    """Return the facts; the time of the next try is in seconds from now."""
    daemon, active = keeper.supervisor.daemon, keeper.supervisor.daemon.active
    said = (active.said if active else None) or {}
    state, reason = _state(keeper)
    next_try = None if active else max(0.0, daemon.next_try - time.monotonic())
    return {
        "version": VERSION,
        "keeper": {"pid": os.getpid(), "started": keeper.started, "faults": keeper.loop.faults},
        "daemon": {
            "pid": active.pid if active else keeper.adoption.holder(),
            "state": state,
            "started": said.get("started"),
            "version": said.get("daemon_version"),
            "reason": reason,
            "next_try": next_try,
            "spare": daemon.spare.pid if daemon.spare and daemon.spare.imported else None,
        },
        "reader": _reader(keeper.supervisor.reader),
        "restarts": daemon.restarts,
        "pump": said.get("pump"),
        "pump_reason": said.get("pump_reason", ""),
        "sessions": keeper.sessions.living,
    }


def _reader(reader: Service) -> Body:
    active, state = reader.active, "off"
    if active is not None:
        state = "running" if active.ready_at is not None else "starting"
    elif reader.wanted or reader.unable:
        state = "waiting" if reader.wanted else "unable"
    return {
        "pid": active.pid if active else None,
        "state": state,
        "reason": reader.reason,
        "restarts": reader.restarts,
        "next_try": max(0.0, reader.next_try - time.monotonic()) if state == "waiting" else None,
    }


def _state(keeper: "Keeper") -> tuple[str, str]:
    daemon = keeper.supervisor.daemon
    if keeper.adoption.under_way:
        return "adopting", SILENT
    if daemon.active is None:
        return "waiting", daemon.reason
    if is_stopped(daemon.active.pid):
        return "stopped", STOPPED
    return ("running" if daemon.active.ready_at is not None else "starting"), daemon.reason
