"""The plain client of a command: makes calls, one at a time, and waits a while for the daemon.

It stands on the same core as the library, and imports no more than a command needs.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, overload

from holdfast.client.attempts import A_WHILE, Kind
from holdfast.client.calls import CALL_TIMEOUT, Call
from holdfast.client.reach import Reach
from holdfast.client.repeating import is_repeatable, random_id, stamped
from holdfast.client.steps import Steps
from holdfast.config.paths import Paths
from holdfast.errors import HoldfastError, NotConnected, TimedOut
from holdfast.protocol import codec
from holdfast.protocol import messages as m
from holdfast.protocol.messages import Hello, Message, Role, Welcome
from holdfast.protocol.version import OURS

if TYPE_CHECKING:
    from holdfast.client.follow import Follow
    from holdfast.client.sync_events import Events


def connect(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    role: Role = Role.CONTROL,
    label: str = "",
    kind: str = "script",
    autostart: bool = True,
    client_id: str = "",
) -> "Client":
    """Return a connected client; raise DaemonUnreachable and say why.

    *environ* is what a daemon would be started with, should none be there. A *client_id* is
    given by who goes on with what it began on another connection.
    """
    name = client_id or random_id()
    hello = Hello(protocol=OURS, client_id=name, role=role, label=label, kind=kind)
    return Client(Reach(paths, environ, hello, autostart, restarts=True))


class Client:
    """A client that is connected from its beginning. Use it in a `with` block."""

    def __init__(self, reach: Reach) -> None:
        self.steps = Steps(reach, policy=A_WHILE)
        """For who has other things to wait for as well."""
        self._follow: Follow | None = None
        try:
            self.reconnect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye: what this client claimed is free at once."""
        self.steps.close()

    @property
    def client_id(self) -> str:
        """The id by which the daemon knows this client on every connection."""
        return self.steps.core.client_id

    @property
    def welcome(self) -> Welcome:
        """What the daemon said on the newest connection."""
        assert self.steps.core.welcome is not None
        return self.steps.core.welcome

    def start_nothing(self) -> None:
        """Do not start a daemon from now on: somebody may have stopped it on purpose."""
        self.steps.reach = self.steps.reach._replace(autostart=False)

    def reconnect(self) -> None:
        """Return when there is a connection; raise the error for which none comes."""
        core = self.steps.core
        if core.state.kind is Kind.GAVE_UP:
            self.steps.retry_now()
        self.steps.until(lambda: core.is_online or core.state.is_over)
        if core.gone is not None:
            raise self.why(core.gone)

    def why(self, error: HoldfastError) -> HoldfastError:
        """Return an error as a person is told: who has given up says that nobody is there."""
        if isinstance(error, NotConnected) and self.steps.core.state.kind is Kind.GAVE_UP:
            return self.steps.reach.unreachable(error.reason)
        return error

    def events(self, since: int | None = None, session: str = "") -> "Events":
        """Return what happens, each event once and in order, across every outage."""
        # Only here: most commands make a call and are done.
        from holdfast.client.follow import Follow  # noqa: PLC0415
        from holdfast.client.sync_events import Events  # noqa: PLC0415

        if self._follow is None:
            self._follow = Follow(self.steps.core)
        return Events(self.steps, self._follow, since, session)

    @overload
    def call(self, message: m.Create, timeout: float = ...) -> m.Created: ...
    @overload
    def call(self, message: m.List, timeout: float = ...) -> m.Listed: ...
    @overload
    def call(self, message: m.Output, timeout: float = ...) -> m.OutputChunk: ...
    @overload
    def call(self, message: m.GetScreen, timeout: float = ...) -> m.Screen: ...
    @overload
    def call(self, message: m.Input, timeout: float = ...) -> m.InputTaken: ...
    @overload
    def call(self, message: m.Send, timeout: float = ...) -> m.Sent: ...
    @overload
    def call(
        self,
        message: m.Get | m.Resize | m.Kill | m.Restore | m.Claim | m.Takeover | m.Release,
        timeout: float = ...,
    ) -> m.SessionInfo: ...
    @overload
    def call(
        self, message: m.Signal | m.Rename | m.Wait, timeout: float = ...
    ) -> m.SessionInfo: ...
    @overload
    def call(self, message: m.KillAll, timeout: float = ...) -> m.KilledAll: ...
    @overload
    def call(self, message: m.Clear | m.Forget, timeout: float = ...) -> m.Erased: ...
    @overload
    def call(self, message: m.Du, timeout: float = ...) -> m.DiskUsed: ...
    @overload
    def call(self, message: m.Subscribe, timeout: float = ...) -> m.Subscribed: ...
    @overload
    def call(self, message: m.GetStats, timeout: float = ...) -> m.Stats: ...
    @overload
    def call(self, message: m.GetMetrics, timeout: float = ...) -> m.Metrics: ...
    @overload
    def call(self, message: m.Register, timeout: float = ...) -> m.Registered: ...
    @overload
    def call(self, message: m.Append | m.Skip, timeout: float = ...) -> m.Appended: ...
    @overload
    def call(self, message: m.End, timeout: float = ...) -> m.SessionInfo: ...
    @overload
    def call(self, message: m.RecordCommand, timeout: float = ...) -> m.Recorded: ...
    @overload
    def call(self, message: m.Commands, timeout: float = ...) -> m.CommandsListed: ...
    @overload
    def call(self, message: m.GetContext, timeout: float = ...) -> m.Context: ...
    @overload
    def call(self, message: m.Ping, timeout: float = ...) -> m.Pong: ...

    def call(self, message: Message, timeout: float = CALL_TIMEOUT) -> Message:
        """Return the reply, or raise the error it failed with.

        A call that is cut off is made again on the next connection; an outage does not count
        as time in which the daemon could have answered. NotConnected is raised only when a
        second time could do something twice.
        """
        core = self.steps.core
        if core.state.kind is Kind.GAVE_UP:
            self.steps.retry_now()
        call = Call(stamped(message), waits=True, repeatable=is_repeatable(message))
        try:
            self._wait_for(call, timeout)
        except BaseException:  # a Ctrl-C: it must not be made later
            call.settle(NotConnected(reason="the call was interrupted"))
            raise
        assert call.result is not None
        if isinstance(call.result, HoldfastError):
            raise self.why(call.result)
        return call.result

    def _wait_for(self, call: Call, timeout: float) -> None:
        core, begin = self.steps.core, self.steps.now()
        core.call(call)
        deadline = begin + timeout
        while not self.steps.until(lambda: call.result is not None, deadline):
            # An outage ends by itself, with a connection or with an error.
            since, now = core.online_since, self.steps.now()
            deadline = (now if since is None else since) + CALL_TIMEOUT
            if since is not None and (since <= begin or deadline <= now):
                action = f"the request {codec.kind_of(call.message)!r}"
                call.settle(TimedOut(action=action, seconds=timeout))
