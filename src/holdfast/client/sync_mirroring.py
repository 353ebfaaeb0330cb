"""A mirrored session in the hands of the client whose program it is, in blocking code.

A registration belongs to one connection: register again on each, best in `on_reconnect`, and go
on where the new one says that the log ends.
"""

from holdfast.client.sync_session import Caller
from holdfast.protocol import messages as m
from holdfast.protocol.messages import CommandRecord, SessionInfo


class Mirror:
    """What a client sends of a program that runs on a terminal of its own."""

    def __init__(self, caller: Caller, registered: m.Registered) -> None:
        self._caller = caller
        self.info: SessionInfo = registered.session
        self.outcome = registered.outcome
        """What `register` did: registered or re-registered."""
        self.end = registered.end
        """Where its log ends, as far as was answered: what follows is sent from there."""
        self.epoch = registered.epoch

    @property
    def id(self) -> str:
        return self.info.id

    def __repr__(self) -> str:
        return f"<Mirror {self.id} {self.info.name!r} {self.outcome}>"

    def append(self, offset: int, data: bytes) -> int:
        """Send what was printed from *offset* on; return where the log ends then."""
        asked = m.Append(session=self.id, offset=offset, data=data)
        self.end = self._caller.call(asked, m.Appended).end
        return self.end

    def skip(self, start: int, end: int) -> int:
        """Say that these bytes could not be kept: a gap, and never a silent one."""
        asked = m.Skip(session=self.id, start=start, end=end)
        self.end = self._caller.call(asked, m.Appended).end
        return self.end

    def record(self, record: CommandRecord) -> None:
        """Have what is known of a command kept; the same id again replaces it."""
        self._caller.call(m.RecordCommand(session=self.id, record=record), m.Recorded)

    def finish(
        self, offset: int, *, exit_code: int | None = None, exit_signal: int | None = None
    ) -> SessionInfo:
        """Say how the program has ended, and where its output does."""
        asked = m.End(session=self.id, offset=offset, exit_code=exit_code, exit_signal=exit_signal)
        self.info = self._caller.call(asked, SessionInfo)
        return self.info
