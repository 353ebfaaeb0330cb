"""Plays what programs do to a screen when they show progress, styles or an agent's work.

`record_screens.py` runs it as `play.py NAME` inside a scene. It imitates their manner of
drawing; it is none of them.
"""

import random
import sys
import time
from collections.abc import Callable

FRAME = 0.03  # seconds; a recording keeps what was drawn, not when
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def cargo() -> None:
    crates = ["libc", "serde", "syn", "tokio", "regex", "rand", "bytes", "memchr"]
    for index, crate in enumerate(crates):
        out(f"\r\x1b[K\x1b[0m\x1b[1m\x1b[32m   Compiling\x1b[0m {crate} v1.{index}.0\n")
        for step in range(3):
            done = index * 3 + step
            bar = "=" * done + ">" + " " * (24 - done)
            out(f"\r\x1b[K\x1b[1m\x1b[36m    Building\x1b[0m [{bar}] {done}/24: {crate}")
            time.sleep(FRAME)
    out("\r\x1b[K\x1b[1m\x1b[32m    Finished\x1b[0m `dev` profile in 1.02s\n")


def npm() -> None:
    out("\x1b[?25l")
    for index in range(30):
        out(f"\x1b[1G\x1b[0K{SPINNER[index % 10]} \x1b[90mreify\x1b[39m:package-{index}: timing")
        time.sleep(FRAME)
    out("\x1b[1G\x1b[0K\x1b[?25h\nadded 30 packages in 1s\n")


def pip() -> None:
    for name in ("alpha", "beta"):
        out(f"Collecting {name}\n")
        for done in range(0, 41, 4):
            bar = f"\x1b[38;5;197m{'━' * done}\x1b[0m\x1b[38;5;237m{'━' * (40 - done)}\x1b[0m"
            out(f"\r   {bar} \x1b[32m{done / 10:.1f}/4.0 MB\x1b[0m eta \x1b[36m0:00:01\x1b[0m")
            time.sleep(FRAME)
        out("\n")


def apt() -> None:
    out("\n\x1b7\x1b[0;23r\x1b8\x1b[1A")
    for index in range(40):
        out(f"Setting up package-{index} (1.{index}) ...\n")
        out(
            f"\x1b7\x1b[24;0f\x1b[42m\x1b[30mProgress: [{index * 2:3}%]\x1b[49m\x1b[39m [{'#' * index}] \x1b8"
        )
        time.sleep(FRAME)
    out("\x1b7\x1b[0;24r\x1b8\x1b[1A\x1b[J")


def docker() -> None:
    out("".join(f"layer{index}: Waiting\n" for index in range(5)))
    for step in range(30):
        line = 5 - step % 5
        out(f"\x1b[{line}A\x1b[2K\rlayer{5 - line}: Downloading [{'=' * step}>]\x1b[{line}B\r")
        time.sleep(FRAME)


def emoji() -> None:
    for text in (
        "👍🏽 skin",
        "👩‍👩‍👧‍👦 family",
        "🇩🇪🇯🇵 flags",
        "❤️ heart",
        "1️⃣ key",
        "🏴‍☠️ flag",
        "🙂" * 9,
        "a🙂b🚀c",
    ):
        out(text + "\n")
        out(f"\x1b[1;44m{text}\x1b[m|\n")
        time.sleep(FRAME)


def cjk() -> None:
    for text in (
        "漢字かな交じり文の長い行が折り返されるところ",
        "한국어 텍스트도 있습니다",
        "半角ｶﾅ と全角",
        "混ぜ mixed 文 text",
    ):
        out(text * 3 + "\n")
        out(f"\x1b[7m{text}\x1b[27m \x1b[41m{text * 2}\x1b[K\x1b[m\n")
        time.sleep(FRAME)


def combining() -> None:
    out(
        "e\u0301 a\u0308 o\u0323\u0302 n\u0303 | \u05e9\u05dc\u05d5\u05dd | \u0645\u0631\u062d\u0628\u0627\n"
    )
    out("z\u0351\u036b\u0343a\u0334l\u0335g\u0336o\u0337 " * 8 + "\n")
    out("x\u200d\u200by \u00ad soft\n")


def links() -> None:
    for index in range(4):
        out(
            f"\x1b]8;id=same;https://example.org/{index % 2}\x1b\\link {index}\x1b]8;;\x1b\\ plain "
        )
    out(
        "\n\x1b]8;;https://example.org/"
        + "long/" * 10
        + "\x07"
        + "wrapped link text " * 8
        + "\x1b]8;;\x07\n"
    )


def styles() -> None:
    for code in (1, 2, 3, 4, 5, 7, 8, 9, 53, 21, "4:2", "4:3", "4:4", "4:5"):
        out(f"\x1b[{code}mstyle {code}\x1b[m  ")
    out("\n\x1b[4:3;58;2;255;0;0mred curls\x1b[59m none\x1b[m \x1b[4;58:5:33mblue line\x1b[m\n")
    for index in range(16):
        code = (30 if index < 8 else 82) + index
        out(f"\x1b[{code}m fg{index}\x1b[{code + 10}m bg \x1b[m")
    out("\n\x1b[44mto the end\x1b[K\x1b[m\n\x1b[45m\x1b[2Kwhole\x1b[m\n\x1b[46m   \x1b[3X\x1b[m|\n")


def truecolor() -> None:
    dice = random.Random(7)
    for _ in range(60):
        for _ in range(dice.randrange(4, 12)):
            red, green, blue = (dice.randrange(256) for _ in range(3))
            out(f"\x1b[38;2;{red};{green};{blue}m{'word ' * dice.randrange(1, 3)}")
        out("\x1b[m\n")


def agent(*, held: bool = False) -> None:
    """Redraw a live block below a growing log, as coding agents do."""
    height = 0
    for turn in range(24):
        lines = [
            f"\x1b[38;5;208m{SPINNER[turn % 10]} Thinking…\x1b[39m \x1b[2m({turn}s · esc to interrupt)\x1b[22m",
            "╭" + "─" * 50 + "╮",
            f"│ > \x1b[7m \x1b[27m{'typed so far ' * (turn % 3):<46}│",
            "╰" + "─" * 50 + "╯",
        ]
        if turn % 8 > 4:
            lines.append("  \x1b[2m? for shortcuts\x1b[22m")
        out("\x1b[?2026h" if held else "")
        out("\x1b[2K\x1b[1A" * height + "\x1b[2K\x1b[G")
        if turn % 3 == 0:
            out(f"\x1b[32m⏺\x1b[39m Read(file{turn}.py)\n  ⎿  {turn * 7} lines\n")
        if turn % 5 == 0:
            out(
                f"\x1b[48;5;22m + {turn} added line of code\x1b[K\x1b[49m\n\x1b[48;5;52m - gone\x1b[K\x1b[49m\n"
            )
        out("\n".join(lines))
        out("\x1b[?2026l" if held else "")
        height = len(lines) - 1
        time.sleep(FRAME * 3)
    out("\n")


def agent_sync() -> None:
    out("\x1b[?2004h\x1b[?1004h\x1b[>1u\x1b[?25l")
    agent(held=True)
    out("\x1b[<u\x1b[?1004l\x1b[?2004l\x1b[?25h")


def curses() -> None:
    import curses as library  # noqa: PLC0415 - one scene alone needs it

    def play(window: "library.window") -> None:
        library.start_color()
        library.init_pair(1, library.COLOR_YELLOW, library.COLOR_BLUE)
        while True:
            window.box()
            window.addstr(2, 4, "curses", library.A_BOLD | library.color_pair(1))
            window.hline(5, 2, library.ACS_HLINE, 30)
            key = window.getch()
            if key == ord("q"):
                return
            window.addstr(8, 4, chr(key) * 30, library.A_REVERSE)
            window.scrollok(True)
            window.scroll(1)

    library.wrapper(play)


PLAYS: dict[str, Callable[[], None]] = {
    play.__name__: play
    for play in (
        cargo, npm, pip, apt, docker, emoji, cjk, combining, links, styles, truecolor, agent,
        agent_sync, curses,
    )
}  # fmt: skip

if __name__ == "__main__":
    PLAYS[sys.argv[1]]()
