"""Where our model and the terminal of browsers differ on the very same bytes.

What a picture says of such a thing is the model's opinion, so the two cannot be equal. Nothing
else is allowed to differ, and what no longer differs must be taken out of here.
docs/reference/fidelity.md tells the same, and a test compares the two.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A cause, and for each recording the parts of the comparison in which it shows.

    A part with ~ shows at few places: only the proof cuts often enough to find it.
    """

    cause: str
    names: dict[str, str]


DIFFERENCES = [
    Difference(
        "xterm.js forgets that a line was wrapped when the one below is erased from its first "
        "column, and remembers it where a full line is written anew; this shows when text is "
        "copied or laid out anew",
        {
            "fish_wrap": "wraps",
            "less_wrap": "~wraps",
            "vim_open": "wraps",
            "zsh_menu": "wraps",
            "zsh_prompts": "wraps",
            "zsh_wrap": "wraps",
        },
    ),
    Difference(
        "xterm.js, asked to erase to the end of a line just after its last column was written, "
        "leaves that column",
        {"top": "cells", "top_wide": "cells"},
    ),
    Difference(
        "The two lay lines out differently when the width changes, and xterm.js keeps what a "
        "smaller alternate screen hides, to show it again",
        {
            "resize_agent": "cells scrollback text wraps",
            "resize_tmux": "cells cursor text",
            "resize_vim": "cells text",
        },
    ),
    Difference(
        "xterm.js saves the row of the cursor counted from the top of the scrollback, so what "
        "was saved moves when lines are added or laid out anew",
        {"less_exit": "saved", "resize_bash": "saved"},
    ),
    Difference(
        "xterm.js saves a cursor beyond the last column as what it is and restores it within",
        {"apt_region": "~saved", "saved_at_the_edge": "cells cursor text wraps"},
    ),
    Difference(
        "xterm.js restores the charset that was in use, and not the ones that were designated",
        {"saved_with_charset": "charsets"},
    ),
    Difference(
        "The two disagree on the width of a zero-width space",
        {"combining": "cells text ~cursor"},
    ),
    Difference(
        "xterm.js shows nothing for bytes that are no UTF-8, where the model shows U+FFFD",
        {"invalid_bytes": "cells cursor text"},
    ),
    Difference(
        "xterm.js fills the alternate screen with the background in force when it is entered",
        {"alternate_from_a_styled_pen": "cells"},
    ),
    Difference(
        "xterm.js does not show the cursor again after a reset (RIS)",
        {"reset": "modes"},
    ),
    Difference(
        "xterm.js does not know left and right margins, nor modes that are saved",
        {"margins": "cells cursor saved text", "saved_modes": "modes"},
    ),
    Difference(
        "xterm.js is never narrower than two columns",
        {"one_cell": "cells cursor scrollback text wraps", "one_column": "cells cursor text"},
    ),
]


def fields_of(name: str, *, rare: bool = True) -> set[str]:
    """Return the parts in which a recording may differ; without the rare ones, must."""
    return {
        field.strip("~")
        for entry in DIFFERENCES
        for field in entry.names.get(name, "").split()
        if rare or not field.startswith("~")
    }


def table() -> str:
    """Return the list as docs/reference/fidelity.md has it."""
    rows = [
        f"| {entry.cause} | {', '.join(f'`{name}`' for name in entry.names)} |"
        for entry in DIFFERENCES
    ]
    return "\n".join(["| difference | seen in |", "|---|---|", *rows]) + "\n"
