"""Which size a terminal had where."""

from holdfast.reader.sizes import Size, Sizes


def test_a_size_holds_until_the_next() -> None:
    sizes = Sizes([Size(0, 80, 24), Size(100, 90, 30)], Size(200, 40, 10))

    found = [(at, sizes.at(at).cols, sizes.next(at)) for at in (0, 99, 100, 199, 200, 10**9)]

    assert found == [
        (0, 80, 100),
        (99, 80, 100),
        (100, 90, 200),
        (199, 90, 200),
        (200, 40, None),
        (10**9, 40, None),
    ]


def test_of_two_at_one_offset_the_later_counts() -> None:
    sizes = Sizes([Size(0, 80, 24), Size(5, 90, 30), Size(5, 70, 20)], Size(9, 70, 20))
    assert sizes.at(5) == Size(5, 70, 20)

    sizes.add(Size(5, 60, 10))

    assert sizes.at(5) == Size(5, 60, 10)
    assert sizes.next(5) is None


def test_those_with_nothing_between_them_are_known_all() -> None:
    sizes = Sizes([Size(4, 80, 24), Size(9, 90, 30), Size(9, 70, 20)], Size(9, 70, 20))

    assert sizes.all_at(12) == [Size(9, 90, 30), Size(9, 70, 20)]
    assert [size.cols for at in (0, 4, 8) for size in sizes.all_at(at)] == [80, 80, 80]


def test_what_was_before_the_first_that_is_known_is_taken_for_it() -> None:
    """Timelines from before sizes were noted at the start."""
    assert Sizes([Size(50, 90, 30)], Size(60, 90, 30)).at(0).cols == 90
    assert Sizes([], Size(60, 70, 20)).at(0).cols == 70
