"""How daemon and keeper are, in one screen: what `hold daemon status` says to people."""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.cli.exits import one_line
from holdfast.cli.render import age, ago, cut, size

ORDER = ("starting", "running", "terminating", "dormant", "exited", "lost")
LOW_DISK = 1 << 30  # bytes; below it a flood fills the rest within seconds
RECENT = 86400.0  # seconds for which what went wrong is worth a line
FAST, MOST = 0.5, 0.99  # shares of keys for which the time of their echo is shown


def daemon_lines(status: Mapping[str, Any], *, now: float, width: int = 0) -> list[str]:
    """Return the lines, each cut at *width*; 0 is as wide as it needs to be."""
    daemon, keeper = status.get("daemon") or {}, status.get("keeper") or {}
    stats = status.get("stats") or {}
    lines = [
        ("daemon", _process(daemon, now)),
        ("keeper", _process(keeper, now)),
        *_reader(status.get("reader") or {}, now),
        ("restarts", str(status.get("restarts", 0))),
        ("pump", _with_reason(status.get("pump") or "unknown", status.get("pump_reason"))),
    ]
    lines += counted(stats) if stats else [("sessions", str(status.get("sessions", 0)))]
    lines += [("warning", text) for text in _warnings(status, stats, now)]
    shown = [f"{name:10}{one_line(text)}" for name, text in lines]
    return [cut(line, width) for line in shown] if width else shown


def _reader(reader: Mapping[str, Any], now: float) -> list[tuple[str, str]]:
    """Return its line, unless nothing ever had to be read."""
    if reader.get("state", "off") == "off":
        return []
    again = f", {reader['restarts']} restarts" if reader.get("restarts") else ""
    known = {**reader, "state": f"{reader['state']}{again}"}
    return [("reader", _process(known, now))]


def counted(stats: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what statistics say, each with its name."""
    denied = f"{stats['role_denied']} by role, {stats['owner_denied']} by owner"
    kept = f"{size(stats['logs'])} of output, up to {size(stats['budget'])}"
    return [
        ("sessions", _by_state(stats["sessions"])),
        ("recovery", _named(stats["recovery"]) or "nothing had to be"),
        *_read(stats),
        ("clients", f"{stats['connections']} connected, {_viewers(stats)}"),
        ("typed", f"{size(stats['bytes_in'])}{_echo(stats['echo'])}"),
        ("printed", size(stats["bytes_out"])),
        ("denied", denied),
        ("waiting", f"{size(stats['input_queued'])} typed, {stats['journal_queued']} rows"),
        ("journal", f"{size(stats['journal'])}, newest event {stats['newest_event']}"),
        ("disk", f"{kept}; {size(stats['free'])} free"),
    ]


def _read(stats: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the reader does, if there is one."""
    if not stats.get("reader"):
        return []
    behind = f", {size(stats['unread'])} behind" if stats["unread"] else ""
    fenced = f", {stats['fenced']} it cannot read" if stats["fenced"] else ""
    return [("screens", f"{stats['followed']} sessions followed{behind}{fenced}")]


def _viewers(stats: Mapping[str, Any]) -> str:
    count, lag = stats.get("viewers", 0), stats.get("lag", 0)
    behind = f", up to {size(lag)} behind" if lag else ""
    return f"{count + stats['followers']} look on{behind}"


def _warnings(status: Mapping[str, Any], stats: Mapping[str, Any], now: float) -> Iterator[str]:
    if faults := (status.get("keeper") or {}).get("faults"):
        yield f"{faults} faults in the keeper; keeper.log has them"
    if not stats:
        return
    if stats["stalled"]:
        yield f"{stats['stalled']} sessions wait for room on the disk"
    if stats["free"] < LOW_DISK:
        yield f"only {size(stats['free'])} are free on the disk"
    if stats["complaint"] and now - stats["complained"] < RECENT:
        yield f"{ago(now - stats['complained'])}: {stats['complaint']}"


def _by_state(sessions: Mapping[str, int]) -> str:
    known = {state: sessions[state] for state in ORDER if state in sessions}
    return _named({**known, **sessions}) or "none"


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _echo(echo: Any) -> str:
    """Return within which time most programs answered a key."""
    bounds, counts = list(echo.bounds), list(echo.counts)
    if not sum(counts):
        return ""
    fast, most = _within(bounds, counts, FAST), _within(bounds, counts, MOST)
    return f"; half of the keys echoed {fast}, 99 of 100 {most}"


def _within(bounds: list[float], counts: list[int], share: float) -> str:
    seen, wanted = 0, share * sum(counts)
    for bound, count in zip(bounds, counts, strict=False):
        seen += count
        if seen >= wanted:
            return f"within {bound * 1000:g} ms"
    return f"after {bounds[-1] * 1000:g} ms" if bounds else "some time"


def _process(process: Mapping[str, Any], now: float) -> str:
    parts = [str(process.get("state") or "running")]
    if process.get("pid"):
        parts.append(f"pid {process['pid']}")
    if process.get("version"):
        parts.append(f"version {process['version']}")
    if process.get("started"):
        parts.append(f"up {age(now - float(process['started']))}")
    if process.get("next_try") is not None:
        parts.append(f"next try in {float(process['next_try']):.1f} s")
    return _with_reason(", ".join(parts), process.get("reason"))


def _with_reason(text: str, reason: object) -> str:
    return f"{text}: {reason}" if reason else text
