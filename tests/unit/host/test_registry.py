"""Who sits on which seat, and that nothing late affects anything newer (P3, T37)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from holdfast.errors import UnknownRequest
from holdfast.host.registry import SUPERSEDED, Registry, Standing, Tab
from holdfast.host.watchdog import Watchdog

WORKSPACE = "/"


class Host:
    """A registry, what it has sent, and what a watchdog has seen of it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, object]] = []
        self.watchdog = Watchdog(100.0, 0.0)
        self.registry = Registry(emit=self._emit, watchdog=self.watchdog)

    def _emit(self, connection: str, event: str, payload: object) -> None:
        self.sent.append((connection, event, payload))

    def attach(
        self, connection: str, seat: str = WORKSPACE, client: str = "", now: float = 1.0
    ) -> Tab:
        return self.registry.attach(
            connection, seat=seat, client_id=client or f"client-{connection}", now=now
        ).tab

    def receive(self, connection: str, event: str, now: float = 1.0) -> object:
        return asyncio.run(self._receive(connection, event, now))

    async def _receive(self, connection: str, event: str, now: float) -> object:
        return await self.registry.receive(connection, event, {}, now)

    def ends(self) -> str:
        """Return why it ends when nothing happens any more."""
        reason = ""
        while not reason:
            reason = self.watchdog.expire(self.watchdog.deadline() or 0.0)
        return reason

    def events_of(self, connection: str) -> list[str]:
        return [event for to, event, _ in self.sent if to == connection]


@pytest.fixture
def host() -> Host:
    return Host()


def answering(word: str, heard: list[int]) -> Callable[[Tab, object], Awaitable[object]]:
    async def answer(tab: Tab, _: object) -> object:
        heard.append(tab.epoch)
        return word

    return answer


# -- seats


def test_the_newest_tab_of_a_seat_is_told_what_its_seat_is_told(host: Host) -> None:
    host.attach("a")
    host.attach("b")
    host.registry.tell_seat(WORKSPACE, "layout", {})

    assert host.events_of("b") == ["layout"]


def test_a_superseded_tab_is_told_so_once_and_then_nothing(host: Host) -> None:
    old = host.attach("a")
    host.attach("b")
    host.attach("c")
    host.registry.tell(old, "output", {})
    host.registry.tell_all("notice", {})

    assert [one for one in host.sent if one[0] == "a"] == [
        ("a", "superseded", {"reason": SUPERSEDED})
    ]


def test_it_is_told_so_before_anything_is_told_to_its_successor(host: Host) -> None:
    host.attach("a")
    host.registry.tell(host.attach("b"), "started", {})

    assert [event for _, event, _ in host.sent] == ["superseded", "started"]


def test_whoever_was_replaced_is_named(host: Host) -> None:
    old = host.attach("a")
    attached = host.registry.attach("b", seat=WORKSPACE, client_id="other", now=2.0)

    assert (attached.superseded, old.standing) == ([old], Standing.SUPERSEDED)


def test_tabs_on_different_seats_live_side_by_side(host: Host) -> None:
    host.attach("a", seat="s/one")
    host.attach("b", seat="s/two")
    host.attach("c", seat=WORKSPACE)
    host.registry.tell_all("daemon", {})

    assert host.sent == [(to, "daemon", {}) for to in "abc"]


def test_a_share_link_takes_nobodys_place_and_nobody_takes_its(host: Host) -> None:
    for connection in ("share one", "share two"):
        host.attach(connection, seat="", client="same")
    host.attach("a", client="same")
    host.attach("share three", seat="", client="same")

    assert [tab.connection for tab in host.registry.tabs()] == [
        "share one",
        "share two",
        "a",
        "share three",
    ]


def test_a_duplicated_tab_wins_on_whatever_seat_it_sits() -> None:
    """T37: it has the same client id, and the daemon would let only one of them in."""
    host = Host()
    host.attach("a", seat="s/one", client="copied")
    host.attach("b", seat="s/two", client="copied")

    assert host.events_of("a") == ["superseded"]
    assert host.registry.active("s/one") is None


def test_a_seat_is_taken_back_by_coming_again(host: Host) -> None:
    host.attach("a")
    host.attach("b")
    host.attach("a again", client="client-a")
    host.registry.tell_seat(WORKSPACE, "layout", {})

    assert host.events_of("b") == ["superseded"]
    assert host.events_of("a again") == ["layout"]


# -- what comes late


def test_a_late_disconnect_detaches_nothing_newer(host: Host) -> None:
    old = host.attach("a")
    new = host.attach("b")
    host.registry.detach(old.epoch, reason="transport close", now=2.0)

    assert host.registry.active(WORKSPACE) is new
    assert new.is_active


def test_a_disconnect_that_comes_twice_is_one(host: Host) -> None:
    tab = host.attach("a")
    host.registry.detach(tab.epoch, reason="transport close", now=2.0)

    assert host.registry.detach(tab.epoch, reason="again", now=3.0) is None
    assert (tab.reason, host.watchdog.last_detach) == ("transport close", 2.0)


def test_the_own_disconnect_of_a_superseded_tab_does_not_change_its_reason(host: Host) -> None:
    old = host.attach("a")
    host.attach("b")
    host.registry.detach(old.epoch, reason="transport close", now=2.0)

    assert (old.standing, old.reason) == (Standing.GONE, SUPERSEDED)


def test_a_seat_that_was_left_is_free(host: Host) -> None:
    tab = host.attach("a")
    host.registry.detach(tab.epoch, reason="transport close", now=2.0)

    assert (host.registry.active(WORKSPACE), host.registry.tabs()) == (None, [])
    assert host.registry.tab_of("a") is None


def test_epochs_only_grow(host: Host) -> None:
    epochs = [host.attach(one).epoch for one in "abc"]

    assert epochs == [1, 2, 3]


# -- what nobody is there for


def test_a_word_without_a_tab_is_dropped_with_a_debug_line(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    host.registry.tell_seat(WORKSPACE, "layout", {})

    assert host.sent == []
    assert [(one.levelname, one.message) for one in caplog.records] == [
        ("DEBUG", "layout is dropped: nobody sits on /")
    ]


def test_a_word_for_a_tab_that_has_gone_is_dropped_with_a_debug_line(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    tab = host.attach("a")
    host.registry.detach(tab.epoch, reason="transport close", now=2.0)
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    host.registry.tell(tab, "output", {})

    assert [one.message for one in caplog.records] == ["output for tab 1 is dropped: it is gone"]


# -- handlers


def test_a_handler_serves_every_tab_that_comes(host: Host) -> None:
    heard: list[int] = []
    host.registry.on("create", answering("done", heard))
    for connection in ("a", "b"):
        host.attach(connection)
        assert host.receive(connection, "create") == "done"

    assert heard == [1, 2]


def test_a_handler_that_is_recorded_late_serves_the_tab_that_is_there(host: Host) -> None:
    heard: list[int] = []
    host.attach("a")
    host.registry.on("create", answering("done", heard))

    assert (host.receive("a", "create"), heard) == ("done", [1])


def test_an_event_has_one_handler(host: Host) -> None:
    host.registry.on("create", answering("one", []))

    with pytest.raises(ValueError, match="'create' has a handler already"):
        host.registry.on("create", answering("two", []))


def test_an_event_without_a_handler_is_refused(host: Host) -> None:
    host.attach("a")

    with pytest.raises(UnknownRequest):
        host.receive("a", "create")


@pytest.mark.parametrize("connection", ["a", "stranger"])
def test_who_is_not_active_is_not_listened_to(host: Host, connection: str) -> None:
    heard: list[int] = []
    host.registry.on("input", answering("done", heard))
    host.attach("a")
    host.attach("b")

    assert (host.receive(connection, "input"), heard) == (None, [])


@pytest.mark.parametrize("how", ["gone", "superseded"])
def test_the_reply_for_a_tab_that_vanished_meanwhile_is_dropped(
    host: Host, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    handled: list[int] = []

    async def vanish(tab: Tab, _: object) -> object:
        handled.append(tab.epoch)
        if len(handled) == 1 and how == "gone":
            host.registry.detach(tab.epoch, reason="transport close", now=2.0)
        if len(handled) == 1:
            host.attach("b")
        return "done"

    host.registry.on("create", vanish)
    host.attach("a")
    caplog.set_level(logging.DEBUG)

    assert host.receive("a", "create") is None
    assert host.receive("b", "create") == "done"
    assert handled == [1, 2]  # each once, by who asked
    assert [one.message for one in caplog.records if "dropped" in one.message] == [
        f"the reply to create is dropped: tab 1 is {how}"
    ]


# -- what keeps a host alive


def test_what_an_active_tab_sends_is_activity(host: Host) -> None:
    host.registry.on("__activity__", answering("", []))
    host.attach("a", now=1.0)
    host.receive("a", "__activity__", now=50.0)

    assert host.watchdog.idle_at == 150.0


def test_what_a_superseded_tab_sends_is_none(host: Host) -> None:
    host.registry.on("__activity__", answering("", []))
    host.attach("a", now=1.0)
    host.attach("b", now=2.0)
    host.receive("a", "__activity__", now=50.0)

    assert host.watchdog.idle_at == 102.0


def test_a_superseded_tab_alone_is_no_connection(host: Host) -> None:
    host.attach("a", now=1.0)
    new = host.attach("b", now=2.0)
    host.registry.detach(new.epoch, reason="transport close", now=3.0)

    assert (host.watchdog.idle_at, host.ends()) == (103.0, "no connection")


def test_a_superseded_tab_that_leaves_takes_no_connection_away(host: Host) -> None:
    old = host.attach("a", now=1.0)
    host.attach("b", now=2.0)
    host.registry.detach(old.epoch, reason="transport close", now=50.0)

    assert (host.watchdog.idle_at, host.ends()) == (102.0, "no activity")


# -- the log


def test_each_cycle_is_logged_once_with_its_epoch(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first, second = host.attach("a"), host.attach("b", seat="s/one")
    share = host.attach("c", seat="")
    for tab in (first, second, share):
        host.registry.detach(tab.epoch, reason="transport close", now=2.0)
        host.registry.detach(tab.epoch, reason="ping timeout", now=3.0)

    assert [one.message for one in caplog.records] == [
        "tab 1 attached to /",
        "tab 2 attached to s/one",
        "tab 3 attached to a share link",
        "tab 1 detached: transport close",
        "tab 2 detached: transport close",
        "tab 3 detached: transport close",
    ]


def test_a_superseded_tab_is_detached_in_the_log_with_that_reason(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    old = host.attach("a")
    caplog.set_level(logging.INFO)
    host.attach("b")
    host.registry.detach(old.epoch, reason="transport close", now=2.0)

    assert [one.message for one in caplog.records] == [
        "tab 1 superseded",
        "tab 2 attached to /",
        f"tab 1 detached: {SUPERSEDED}",
    ]
