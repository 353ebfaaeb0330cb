"""The screen model as whoever uses it meets it."""

import random
from collections.abc import Iterator

import pytest

from holdfast.reader.ghostty import GhosttyScreen
from holdfast.reader.model import Profile, Reply, ScreenError, ScreenModel
from holdfast.reader.queries import REPLY_LIMIT

QUERIES = b"\x1b[c \x1b[>c \x1b[6n \x1b[5n \x1b[?2026$p \x1b]10;?\x07 \x1b[18t \x1b[?996n \x1b[>q"


@pytest.fixture
def screen() -> Iterator[GhosttyScreen]:
    model = GhosttyScreen.create(20, 5)
    yield model
    model.close()


def test_it_is_what_the_interface_says(screen: GhosttyScreen) -> None:
    model: ScreenModel = screen  # the type is the test

    assert model.size == (20, 5)


def test_text_is_lines_without_blanks_at_their_ends(screen: GhosttyScreen) -> None:
    screen.feed("a  \r\n\x1b[5Cb漢字e\u0301\x1b[K\r\n".encode())

    assert screen.text() == ["a", "     b漢字e\u0301", "", "", ""]


def test_text_has_as_many_lines_of_scrollback_as_asked(screen: GhosttyScreen) -> None:
    screen.feed(b"\r\n".join(b"%d" % number for number in range(12)))

    assert screen.text(0) == ["7", "8", "9", "10", "11"]
    assert screen.text(2) == ["5", "6", "7", "8", "9", "10", "11"]
    assert screen.text(None) == [str(number) for number in range(12)]


@pytest.mark.parametrize("lines", [0, 1, 50, 700, 5000])
def test_a_picture_has_as_many_lines_of_scrollback_as_asked(lines: int) -> None:
    screen = GhosttyScreen.create(30, 6)
    screen.feed(b"\r\n".join(b"\x1b[3%dmline %d" % (number % 8, number) for number in range(3000)))
    picture = screen.snapshot(lines)
    fresh = GhosttyScreen.create(30, 6)
    fresh.feed(picture.data)

    assert picture.lines == min(lines, 2994)
    assert fresh.text(None) == screen.text(lines)


def test_a_second_picture_is_the_first_one(screen: GhosttyScreen) -> None:
    screen.feed(b"\r\n".join(b"\x1b[3%dm%d" % (number % 8, number) for number in range(900)))

    first = screen.snapshot()
    assert screen.snapshot() == first  # from painted pages
    screen.compress()
    assert screen.snapshot() == first


def test_pages_painted_before_a_resize_are_not_shown_after_it(screen: GhosttyScreen) -> None:
    screen.feed(b"\r\n".join(b"%d " % number * 5 for number in range(900)))
    screen.snapshot()
    screen.resize(9, 4)
    fresh = GhosttyScreen.create(9, 4)
    fresh.feed(screen.snapshot().data)

    assert fresh.text(None) == screen.text(None)


def test_what_the_program_said_beside_its_text(screen: GhosttyScreen) -> None:
    screen.feed(b"\x1b]2;t\xc3\xa4tle\x07\x1b]7;file://h/tmp\x07\x1b[?2004h\x1b[?25l\x1b[4h")

    assert (screen.title, screen.cwd) == ("tätle", "file://h/tmp")
    assert {"?2004", "4"} <= screen.modes
    assert "?25" not in screen.modes


def test_a_title_cannot_bring_a_sequence_into_a_picture(screen: GhosttyScreen) -> None:
    screen.feed("\x1b]2;a\u009b6nb\x07".encode())

    assert "\u009b".encode() not in screen.snapshot().data


def test_replies_say_where_their_query_ended(screen: GhosttyScreen) -> None:
    screen.feed(b"ab\x1b[6ncd\x1b[5n", answering=True)

    assert screen.replies() == [Reply(6, b"\x1b[1;3R"), Reply(12, b"\x1b[0n")]


@pytest.mark.parametrize("cut", range(1, len(QUERIES)))
def test_a_query_may_come_in_two_pieces(cut: int) -> None:
    whole, pieces = GhosttyScreen.create(20, 5), GhosttyScreen.create(20, 5)
    whole.feed(QUERIES, answering=True)
    pieces.feed(QUERIES[:cut], answering=True)
    heard = pieces.replies()
    pieces.feed(QUERIES[cut:], answering=True)
    heard += [Reply(reply.end + cut, reply.data) for reply in pieces.replies()]

    assert heard == whole.replies()
    assert len(heard) >= 6


def test_what_is_replayed_is_not_answered(screen: GhosttyScreen) -> None:
    screen.feed(QUERIES)

    assert screen.replies() == []


def test_replies_are_those_of_the_last_feed(screen: GhosttyScreen) -> None:
    screen.feed(b"\x1b[5n", answering=True)
    screen.feed(b"x", answering=True)

    assert screen.replies() == []


def test_a_flood_of_queries_is_answered_so_far_and_seen_whole(screen: GhosttyScreen) -> None:
    screen.feed(b"\x1b[6n" * 5000 + b"end", answering=True)

    assert len(screen.replies()) == REPLY_LIMIT
    assert screen.text()[0] == "end"


def test_queries_are_answered_as_the_owners_terminal() -> None:
    profile = Profile(
        foreground=(1, 2, 3), background=(4, 5, 6), dark=True, cell_width=9, device=(7, 8, 9),
        version="term 1",
    )  # fmt: skip
    screen = GhosttyScreen.create(20, 5, profile)
    screen.feed(b"\x1b]10;?\x07\x1b]11;?\x07\x1b[?996n\x1b[>c\x1b[>q\x1b[14t", answering=True)

    assert [reply.data for reply in screen.replies()] == [
        b"\x1b]10;rgb:0101/0202/0303\x07",
        b"\x1b]11;rgb:0404/0505/0606\x07",
        b"\x1b[?997;1n",
        b"\x1b[>7;8;9c",
        b"\x1bP>|term 1\x1b\\",
        b"\x1b[4;80;180t",
    ]


def test_colours_of_the_profile_are_in_no_picture() -> None:
    """They are those of the terminal that it is shown in, whatever they are there."""
    profile = Profile(background=(250, 250, 240), palette={1: (204, 0, 0), 255: (1, 2, 3)})
    screen = GhosttyScreen.create(20, 5, profile)
    screen.feed(b"\x1b]4;1;?;2;?;255;?\x07\x1b[31mred", answering=True)

    assert b"".join(reply.data for reply in screen.replies()) == (
        b"\x1b]4;1;rgb:cccc/0000/0000\x07\x1b]4;2;rgb:b5b5/bdbd/6868\x07"
        b"\x1b]4;255;rgb:0101/0202/0303\x07"
    )
    assert b"]" not in screen.snapshot().data
    screen.set_profile(Profile())
    screen.feed(b"\x1b]4;1;?\x07", answering=True)
    assert screen.replies()[0].data == b"\x1b]4;1;rgb:cccc/6666/6666\x07"


def test_what_the_profile_does_not_know_stays_unanswered(screen: GhosttyScreen) -> None:
    screen.feed(b"\x1b]10;?\x07\x1b[?996n", answering=True)

    assert screen.replies() == []


def test_another_profile_answers_from_then_on(screen: GhosttyScreen) -> None:
    screen.set_profile(Profile(dark=False))
    screen.feed(b"\x1b[?996n", answering=True)

    assert screen.replies() == [Reply(7, b"\x1b[?997;2n")]


@pytest.mark.parametrize(("asked", "given"), [((0, -1), (1, 1)), ((5000, 1001), (1000, 1000))])
def test_sizes_are_held_within_reason(asked: tuple[int, int], given: tuple[int, int]) -> None:
    screen = GhosttyScreen.create(*asked)
    assert screen.size == given
    screen.resize(80, 24)
    screen.resize(*asked)

    assert screen.size == given


def test_a_sequence_that_never_ends_is_left_out_and_not_waited_for(screen: GhosttyScreen) -> None:
    screen.feed(b"before\x1b]2;" + b"x" * 3_000_000)
    picture = screen.snapshot()
    fresh = GhosttyScreen.create(20, 5)
    for model in (screen, fresh):
        if model is fresh:
            model.feed(picture.data)
        model.feed(b"more of it\x07after")

    assert len(picture.data) < 1000
    assert screen.text() == fresh.text() == ["beforeafter", "", "", "", ""]


def test_a_checkpoint_goes_on_where_it_was(screen: GhosttyScreen) -> None:
    screen.feed(b"a\r\n" * 50 + b"\x1b[?1049hup\x1b[3")
    restored = GhosttyScreen.restore(screen.checkpoint())
    for model in (screen, restored):
        model.feed(b"1mred\x1b[?1049l")

    assert restored.size == (20, 5)
    assert restored.snapshot() == screen.snapshot()
    assert restored.text(None) == screen.text(None)


def test_a_changed_checkpoint_is_refused(screen: GhosttyScreen) -> None:
    screen.feed(b"something to keep\r\n" * 30)
    kept = screen.checkpoint()
    dice = random.Random(3)
    for _ in range(200):
        damaged = bytearray(kept)
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        with pytest.raises(ScreenError):
            GhosttyScreen.restore(bytes(damaged))
    for length in (0, 5, 16, len(kept) - 1):
        with pytest.raises(ScreenError):
            GhosttyScreen.restore(kept[:length])


def test_closing_twice_does_no_harm(screen: GhosttyScreen) -> None:
    screen.close()
    screen.close()
