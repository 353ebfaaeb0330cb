"""Which sessions a command means: ids, beginnings of ids, names, keys and globs."""

import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from holdfast.cli import door, render
from holdfast.cli.exits import FAILED, Exit, Usage, code_of, note, one_line, tell
from holdfast.client.plain import Client
from holdfast.errors import HoldfastError, NotFound
from holdfast.protocol.messages import Get, SessionInfo

GLOB = frozenset("*?[")
SHOWN = 10  # sessions in a question


def chosen(client: Client, words: Sequence[str], *, ended: bool = False) -> list[SessionInfo]:
    """Return the sessions that the words name, each once; raise the error of one that names none.

    Globs are of names, ids and keys; of ended sessions only where *ended* ones can be meant.
    """
    found: dict[str, SessionInfo] = {}
    known: list[SessionInfo] | None = None
    for word in words:
        if not GLOB & set(word):
            session = door.session_named(client, word)
            found.setdefault(session.id, session)
            continue
        if known is None:
            known = door.sessions(client, ended=ended)
        matching = _matching(client, known, word)
        found.update({each.id: each for each in matching if each.id not in found})
    return list(found.values())


def _matching(client: Client, known: Sequence[SessionInfo], word: str) -> list[SessionInfo]:
    matching = [
        each for each in known if any(fnmatchcase(n, word) for n in (each.name, each.id, each.key))
    ]
    # A session may really be called `a*`, and then it need not be in the list.
    return matching or [client.call(Get(session=word))]


def each(
    client: Client,
    words: Sequence[str],
    do: Callable[[SessionInfo], None],
    *,
    question: str,
    yes: bool,
    ended: bool = False,
) -> int:
    """Do something to the sessions that are meant; return the exit code.

    More than one is asked about. Where one fails the others are done all the same: whoever
    named ten wants ten.
    """
    sessions = chosen(client, words, ended=ended)
    if len(sessions) == 1:
        do(sessions[0])
        return 0
    if not yes:
        ask_about(sessions, question)
    codes = set()
    for session in sessions:
        try:
            do(session)
        except HoldfastError as error:
            tell(error)
            codes.add(code_of(error, passes_code=False))
    return codes.pop() if len(codes) == 1 else FAILED if codes else 0


def ask_about(sessions: Sequence[SessionInfo], question: str) -> None:
    """Name the sessions and ask; raise Exit if the answer is no, Usage if nobody can answer."""
    if not sys.stdin.isatty():
        raise Usage(
            f"{len(sessions)} sessions are meant, and nobody is there to be asked",
            "add --yes if that is right; `hold ls` shows them",
        )
    for session in sessions[:SHOWN]:
        line = f"  {render.named(session.id, session.name)}  {render.state_words(session)}  "
        print(line + one_line(render.command_line(session.argv))[:40], file=sys.stderr)
    if len(sessions) > SHOWN:
        print(f"  ... and {len(sessions) - SHOWN} more", file=sys.stderr)
    confirm(f"{question} {len(sessions)} sessions?")


def confirm(question: str) -> None:
    """Ask; raise Exit unless the answer is yes, and Usage if nobody is there."""
    if not sys.stdin.isatty():
        raise Usage("nobody is there to be asked", "add --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        note("nothing was done")
        raise Exit(FAILED)


def with_a_guess(client: Client, error: NotFound, text: str) -> HoldfastError:
    """Return the error with the session that was most likely meant, if there is one."""
    import difflib  # noqa: PLC0415 - only for mistakes

    try:
        known = door.sessions(client, ended=True)
    except HoldfastError:
        return error
    words = [word for each in known for word in (each.name, each.id, each.key) if word]
    begun = [word for word in words if text and word.startswith(text)]
    close = begun or difflib.get_close_matches(text, words, n=1, cutoff=0.6)
    if not close:
        return error
    return error.said(error.what, f"did you mean {one_line(close[0])!r}? `hold ls` shows all")
