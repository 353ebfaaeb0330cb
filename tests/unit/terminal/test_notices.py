"""What is told to whoever sits in a wrapped shell, and when."""

import pytest

from holdfast.terminal.notices import OUTAGE, Notices, line_end


@pytest.mark.parametrize(
    ("output", "place"),
    [
        (b"echo\r\n\x1b[?2004l\routput\r\n", b"output\r\n"),  # bash
        (b"\x1b[?1l\x1b>\x1b[?2004l\r\r\noutput", b"output"),  # zsh
        (b"\n", b""),
        (b"echo\r\n\x1b[?20", b"\x1b[?20"),
        (b"no end of a line", None),
    ],
)
def test_a_line_is_told_where_the_shell_has_ended_one(output: bytes, place: bytes | None) -> None:
    at = line_end(output)

    assert (None if at is None else output[at:]) == place


def test_nothing_is_told_while_all_is_well() -> None:
    notices = Notices("k3v9qd", told_online=True)
    notices.online(10.0, 0)

    assert not notices.due(10_000.0)


def test_a_daemon_that_appears_is_told() -> None:
    notices = Notices("k3v9qd", told_online=False)
    assert not notices.due(10.0)
    notices.online(11.0, 0)

    assert notices.due(11.0)
    notice = notices.take(0)
    assert notice.is_good
    assert "k3v9qd" in notice.text
    assert not notices.due(12.0)


def test_only_an_outage_that_lasts_is_told() -> None:
    notices = Notices("k3v9qd", told_online=True)
    notices.offline(10.0)
    assert not notices.due(10.0 + OUTAGE / 2)
    notices.online(11.0, 0)
    assert not notices.due(20.0)

    notices.offline(20.0)
    assert notices.due(20.0 + OUTAGE)
    assert not notices.take(0).is_good
    notices.online(30.0, 0)
    assert notices.take(0).is_good


def test_a_gap_is_told_also_after_a_short_outage() -> None:
    notices = Notices("k3v9qd", told_online=True)
    notices.offline(10.0)
    notices.online(11.0, 4096)

    assert notices.due(11.0)
    notice = notices.take(4096)
    assert not notice.is_good
    assert "4096 bytes" in notice.text
    notices.online(12.0, 4096)
    assert not notices.due(12.0)


def test_the_end_of_all_copies_is_told_with_its_reason() -> None:
    notices = Notices("k3v9qd", told_online=True)
    notices.over("no session 'k3v9qd'")

    assert notices.due(0.0)
    assert "no session 'k3v9qd'" in notices.take(0).text
    assert not notices.due(1e9)
