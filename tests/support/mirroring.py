"""A client of a mirrored session, as `hold wrap` is one: it registers, sends, and comes back."""

from typing import Self

from holdfast.client.blocking import Client, connect
from holdfast.protocol.messages import (
    Append,
    CommandRecord,
    End,
    RecordCommand,
    Register,
    Registered,
    SessionInfo,
    Skip,
)
from tests.support.home import Home

SHELL = "m1rr0r"


class Mirrorer:
    """One connection that has registered a session. Use it in a `with` block."""

    def __init__(self, home: Home, session: str = SHELL, **given: object) -> None:
        self.session = session
        self.client: Client = connect(home.paths, home.environ, label="wrap pts/3", kind="wrap")
        self.registered: Registered
        self.register(**given)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def register(self, **given: object) -> Registered:
        asked = Register(session=self.session, **given)  # type: ignore[arg-type]
        self.registered = self.client.call(asked)
        return self.registered

    def append(self, offset: int, data: bytes) -> int:
        return self.client.call(Append(session=self.session, offset=offset, data=data)).end

    def skip(self, start: int, end: int) -> int:
        return self.client.call(Skip(session=self.session, start=start, end=end)).end

    def end(self, offset: int, code: int | None = 0, signal: int | None = None) -> SessionInfo:
        asked = End(session=self.session, offset=offset, exit_code=code, exit_signal=signal)
        return self.client.call(asked)

    def record(self, id_: str, line: str, **more: object) -> str:
        record = CommandRecord(id=id_, line=line, **more)  # type: ignore[arg-type]
        return self.client.call(RecordCommand(session=self.session, record=record)).id
