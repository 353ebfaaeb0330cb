"""Which changes nobody means: what version control, editors and tools leave behind them.

The language of .gitignore, of every folder on the way down. Knows no events and no pages.
"""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

# Where tools keep what is theirs; nobody edits it by hand.
FOLDERS = frozenset(
    ("node_modules", "__pycache__", "bower_components", "venv", ".git", ".hg", ".svn")
)
# What editors put beside a file while they write it.
PASSING = re.compile(
    r"~$|^\.|^#.*#$|^4913$|\.sw[a-z]$|\.tmp$|\.temp$|\.bak$|\.orig$|\.crdownload$|___jb_\w+___$"
    r"|\.py[co]$|^sed\w{6}$"
)
LONGEST_FILE = 1 << 20  # bytes of one .gitignore that are read


class Rule(NamedTuple):
    """One line of a .gitignore."""

    pattern: re.Pattern[str]
    is_exception: bool
    folders_only: bool


def rules(lines: Iterable[str]) -> list[Rule]:
    """Return the rules that stand in the lines of one .gitignore."""
    return [rule for line in lines if (rule := _rule(line)) is not None]


class Ignored:
    """Says of paths below a folder whether their changes are meant."""

    def __init__(self, root: Path, *, dotfiles: bool) -> None:
        self._root = root
        self._dotfiles = dotfiles
        self._rules: dict[PurePosixPath, list[Rule]] = {}

    def forget(self) -> None:
        """Read every .gitignore again: one of them has changed."""
        self._rules.clear()

    def covers(self, path: PurePosixPath) -> bool:
        """Return whether a change of *path*, relative to the folder, is of no interest."""
        if FOLDERS.intersection(path.parts):
            return True
        hidden = any(part.startswith(".") for part in path.parts)
        if hidden and not self._dotfiles:
            return True
        if PASSING.search(path.name.lstrip(".") if self._dotfiles else path.name):
            return True
        # As git has it: what lies in an ignored folder cannot be taken out again.
        chain = [*reversed(path.parents[:-1]), path]
        return any(self._says(step, is_folder=step != path) for step in chain)

    def _says(self, path: PurePosixPath, *, is_folder: bool) -> bool:
        ignored = False
        for above in reversed(path.parents):
            inside = path.relative_to(above).as_posix()
            for rule in self._of(above):
                if (is_folder or not rule.folders_only) and rule.pattern.fullmatch(inside):
                    ignored = not rule.is_exception
        return ignored

    def _of(self, folder: PurePosixPath) -> list[Rule]:
        if folder not in self._rules:
            try:
                with (self._root / folder / ".gitignore").open("rb") as file:
                    text = file.read(LONGEST_FILE).decode(errors="replace")
            except OSError:
                text = ""
            self._rules[folder] = rules(text.splitlines())
        return self._rules[folder]


def _rule(line: str) -> Rule | None:
    text = line.rstrip("\r\n")
    text = text if text.endswith("\\ ") else text.rstrip(" ")
    if not text or text.startswith("#"):
        return None
    is_exception = text.startswith("!")
    text = text[1:] if is_exception else text
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    if not text:
        return None
    anchored = "/" in text
    body = _expression(text.lstrip("/"))
    try:
        pattern = re.compile(body if anchored else f"(?:.*/)?{body}")
    except re.error:
        return None  # git, too, ignores what it cannot read
    return Rule(pattern, is_exception, folders_only)


def _expression(glob: str) -> str:
    """Return the regular expression of a pattern, without those that would take for ever."""
    found = []
    at = 0
    while at < len(glob):
        if glob.startswith("**/", at):
            found.append("(?:[^/]+/)*" if at == 0 or glob[at - 1] == "/" else "[^/]*/")
            at += 3
            continue
        if glob.startswith("**", at):
            found.append(".*" if at and glob[at - 1] == "/" else "[^/]*")
            at += 2
            continue
        at = _one(glob, at, found)
    return "".join(found)


def _one(glob: str, at: int, found: list[str]) -> int:
    """Append the expression of what stands at *at*; return where the next thing stands."""
    letter = glob[at]
    if letter == "*":
        found.append("[^/]*")
    elif letter == "?":
        found.append("[^/]")
    elif letter == "\\" and at + 1 < len(glob):
        found.append(re.escape(glob[at + 1]))
        return at + 2
    elif letter == "[" and (end := glob.find("]", at + 2)) > 0:
        inside = glob[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
        inside = "^" + inside[1:] if inside[0] in "!^" else inside
        found.append(f"(?!/)[{inside}]")
        return end + 1
    else:
        found.append(re.escape(letter))
    return at + 1
