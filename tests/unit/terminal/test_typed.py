"""Typed bytes wait until they are taken, and are offered again from the exact offset."""

from holdfast.terminal.typed import PIECE, ROOM, Typed


def test_a_piece_is_offered_until_it_is_taken() -> None:
    typed = Typed()
    typed.add(b"abc")

    assert typed.next_piece() == (0, b"abc")
    assert typed.next_piece() == (0, b"abc")
    typed.take(2)
    typed.add(b"d")
    assert typed.next_piece() == (2, b"cd")
    typed.take(4)
    assert typed.next_piece() is None
    assert typed.taken == 4


def test_an_old_answer_takes_nothing_back() -> None:
    typed = Typed()
    typed.add(b"abcdef")
    typed.take(4)
    typed.take(2)

    assert typed.next_piece() == (4, b"ef")


def test_a_paste_goes_in_pieces_and_has_an_end() -> None:
    typed = Typed()
    typed.add(b"x" * ROOM)

    piece = typed.next_piece()
    assert piece is not None
    assert len(piece[1]) == PIECE
    assert not typed.has_room
    typed.take(PIECE)
    assert typed.has_room


def test_what_is_dropped_keeps_its_place() -> None:
    typed = Typed()
    typed.add(b"abc")
    typed.take(1)
    typed.drop()

    assert (len(typed), typed.taken) == (0, 1)
