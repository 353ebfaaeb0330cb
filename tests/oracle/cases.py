"""What a terminal can be in the midst of, one case each, cut between its pieces."""

from tests.support.recordings import Event, Recording

SIZE = (20, 6)


def case(name: str, *events: Event | str, size: tuple[int, int] = SIZE) -> Recording:
    said = tuple(event.encode() if isinstance(event, str) else event for event in events)
    return Recording(name, size, said)


FILL = "\r\n".join(f"line {number}" for number in range(9))

CASES = {
    recording.name: recording
    for recording in (
        case("empty", "", "a"),
        case("pending_wrap", "x" * 20, "y"),
        case("pending_wrap_styled", "\x1b[31;44m" + "x" * 20, "y\x1b[m"),
        case("pending_wrap_at_the_bottom", FILL + "\r\n" + "x" * 20, "y", "z" * 30),
        case("wrapped_rows", "ab" * 25, "\r\n", "next"),
        case("wrapped_into_colour", "x" * 20 + "\x1b[42my\x1b[m", "z", "\x1b[K"),
        case("wrapped_at_the_bottom_into_colour", FILL + "\x1b[42m" + "x" * 33, "z\x1b[m", "\r\n\n"),
        case("scrolled_with_a_background", "\x1b[41m" + FILL, "\x1b[m", "\r\n\n\n"),
        case("erased_with_a_background", "abc\x1b[44m\x1b[K\r\n\x1b[2K\x1b[3;5H\x1b[4X\x1b[m", "x", FILL),
        case("erased_in_rgb", "\x1b[48;2;1;2;3m\x1b[J\x1b[48;5;200m\x1b[2;3H\x1b[1K", "\x1b[m", "x"),
        case("gaps", "a\x1b[10Cb\x1b[4;7Hc", "\x1b[2;1Hd", "e"),
        case("half_of_a_wide_one", "\x1b[31m" + "x" * 18 + "漢y", "\x1b[1;19Hz\x1b[m", "\x1b[4;1H."),
        case("erased_in_a_full_row", "x" * 25, "\x1b[1;17H\x1b[4@", "\x1b[1;20H\x1b[1K", "y"),
        case("wide_at_the_edge", "x" * 19 + "漢", "字", "\x1b[7m" + "漢字" * 9, "\x1b[m."),
        case("wide_at_the_edge_in_colour", "\x1b[41m" + "x" * 19 + "漢", "字\x1b[m", "abc"),
        case("clusters", "👩\u200d👩\u200d👧 e\u0301 ❤\ufe0f", "x", "🇩", "🇪y"),
        case("joined_later", "e", "\u0301", "👩", "\u200d👧", "z"),
        case("repeated", "ab", "\x1b[3b", "c", "\x1b[2b"),
        case("saved_cursor", "abc\x1b[31m\x1b7\x1b[m\x1b[4;4Hdef", "\x1b8", "g"),
        case("saved_at_the_edge", "x" * 20 + "\x1b7\x1b[3;3H", "y", "\x1b8z"),
        case("saved_with_charset", "\x1b(0\x0fq\x1b7\x1b(Bq", "\x1b8", "q"),
        case("line_drawing", "\x1b(0lqk", "x x\x1b(B", "abc"),
        case("shifted_out", "\x1b)0a\x0eqq", "qq\x0f", "qq"),
        case("region", FILL + "\x1b[2;4r\x1b[4;1Hin", "\r\nscrolled", "\x1b[r", "\x1b[6;1H\nall"),
        case("origin", FILL + "\x1b[2;5r\x1b[?6h\x1b[2;2Hx", "\x1b[1;1Hy", "\x1b[?6l\x1b[1;1Hz"),
        case("tabs", "\x1b[3g\x1b[5G\x1bH\x1b[9G\x1bH\r", "a\tb", "\tc", "\td"),
        case("no_tabs", "\x1b[3g", "\ta"),
        case("insert", "abc\r\x1b[4h", "xy", "\x1b[4lz"),
        case("no_wrap", "\x1b[?7l", "x" * 25, "y", "\x1b[?7hz", "a"),
        case("application_keys", "\x1b[?1h\x1b=", "\x1b[?1l", "\x1b>"),
        case("paste_and_focus", "\x1b[?2004h\x1b[?1004h", "\x1b[?2004l"),
        case("mouse", "\x1b[?1000h\x1b[?1002h\x1b[?1006h", "\x1b[?1003h", "\x1b[?1003l"),
        case("mouse_pixels", "\x1b[?9h", "\x1b[?1016h", "\x1b[?9l"),
        case("hidden_cursor", "\x1b[?25l", "\x1b[?25h"),
        case("cursor_shapes", "\x1b[3 q", "\x1b[6 q", "\x1b[0 q", "\x1b[?12h", "\x1b[1 q"),
        case("held_output", "\x1b[?2026ha", "b", "\x1b[?2026l"),
        case("title_and_directory", "\x1b]2;hé\x07\x1b]7;file://h/a%20b\x07", "\x1b]0;\x07"),
        case("colours", "\x1b]10;#102030\x07\x1b]11;rgb:11/22/33\x07\x1b]12;red\x07\x1b]4;1;#abcdef\x07", "\x1b]104\x07"),
        case("alternate", FILL + "\x1b[?1049h", "alt\x1b[3;3H", "x", "\x1b[?1049l", "back"),
        case("alternate_from_a_styled_pen", "ab\x1b[1;45m\x1b[?1049h", "\x1b[mx", "\x1b[?1049l", "c"),
        case("alternate_1047", FILL + "\x1b[?1047h", "alt", "\x1b[?1047l", "back"),
        case("alternate_47", FILL + "\x1b[?47h", "\x1b[Halt", "\x1b[?47l", "back"),
        case("alternate_with_saved", "a\x1b7\x1b[?1049h\x1b[4;4H\x1b[32m\x1b7\x1b[Hx", "\x1b8y", "\x1b[?1049lz"),
        case("link", "\x1b]8;;https://e.org/a\x07ab", "cd", "\x1b]8;;\x07ef"),
        case("named_link", "\x1b]8;id=n;https://e.org/b\x07" + "long " * 6, "x\x1b]8;;\x07", "y"),
        case("protected", 'a\x1b[1"qb', 'c\x1b[0"qd', "\r\x1b[?K"),
        case("underlines", "\x1b[4:3;58:2::9:8:7ma", "\x1b[4:2;58:5:3mb", "\x1b[24;59mc"),
        case("all_attributes", "\x1b[1;2;3;5;7;8;9;53ma", "\x1b[22;23;25;27;28;29;55mb"),
        case("unfinished_csi", "a\x1b[3", "1mb", "\x1b[m"),
        case("unfinished_osc", "a\x1b]2;ti", "tle", "\x07b"),
        case("unfinished_dcs", "a\x1bP$q", "m\x1b\\b"),
        case("unfinished_apc", "a\x1b_Gf=", "1;AA", "\x1b\\b"),
        case("unfinished_character", "a\u6f22".encode()[:-1], "\u6f22".encode()[-1:], "b"),
        case("unfinished_escape", "a\x1b", "7b"),
        case("cleared_scrollback", FILL + "\x1b[3J", "x", "\x1b[2J", "\x1b[Hy"),
        case("reversed", "\x1b[?5h", "a", "\x1b[?5l"),
        case("saved_modes", "\x1b[?2004h\x1b[?2004s\x1b[?2004l", "a", "\x1b[?2004r"),
        case("keyboard", "\x1b[>1u\x1b[>5u", "\x1b[=3;1u", "\x1b[<u", "\x1b[<u"),
        case("keyboard_of_each_screen", "\x1b[>1u\x1b[?1049h\x1b[>8u", "\x1b[?1049l", "\x1b[<u"),
        case("other_keys", "\x1b[>4;2m", "\x1b[>4m"),
        case("pointer", "\x1b]22;pointer\x1b\\", "\x1b]22;\x1b\\"),
        case("margins", "\x1b[?69h\x1b[5;10s\x1b[1;5H", "wrapped in", "\x1b[?69l"),
        case("newline_mode", "\x1b[20ha\n", "b", "\x1b[20l\nc"),
        case("one_cell", "abc", "\x1b[31m漢", "\r\nd", size=(1, 1)),
        case("one_column", "abc", "\r\nde", size=(1, 5)),
        case("one_row", FILL, "\x1b[Ax", size=(12, 1)),
        case("invalid_bytes", b"\xff\xfe\xc3(\xe2\x82", b"\xf0\x9f", "ok"),
        case("reset", FILL + "\x1b[?1049h\x1b[?25l\x1bc", "after", "\x1b[!p"),
        case("aligned", "\x1b#8", "x", "\x1b[2;3H\x1b[2L"),
        case("made_smaller", FILL, (12, 4), "\r\nx", (30, 9), "y"),
    )
}  # fmt: skip
