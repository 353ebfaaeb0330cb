"""Which exit code an error has, and how it is told: two lines, never a traceback."""

import os
import sys
from collections.abc import Sequence

from holdfast import errors as e
from holdfast.cli import saying
from holdfast.errors import HoldfastError

OK, FAILED, USAGE = 0, 1, 2
OWN_FAILURE, CANNOT_RUN, NOT_A_PROGRAM = 125, 126, 127
SIGPIPE = 13  # the same everywhere; `signal` would build its enums for it
one_line, note = saying.one_line, saying.note

# The first row that fits an error decides.
CODES: tuple[tuple[type[HoldfastError], int], ...] = (
    (e.InvalidArgument, USAGE),
    (e.InvalidSignal, USAGE),
    (e.NotFound, 3),
    (e.TimedOut, 4),
    (e.SessionGone, 5),
    (e.SessionTerminating, 5),
    (e.OwnerRequired, 6),
    (e.NotConnected, 7),
    (e.DaemonUnreachable, 7),
)
PROGRAM_CODES: tuple[tuple[type[HoldfastError], int], ...] = (
    (e.InvalidArgument, USAGE),
    (e.CommandNotFound, NOT_A_PROGRAM),
    (e.PermissionDenied, CANNOT_RUN),
)


class Usage(Exception):
    """The command line makes no sense: what was wrong, and what to write instead."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


class Exit(Exception):
    """Leave with this code; everything has been said. Unlike SystemExit it can be a program's."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def code_of(error: BaseException, *, passes_code: bool) -> int:
    """Return the exit code for *error*, in a command that passes a program's code on or not."""
    if isinstance(error, Usage):
        return USAGE
    rows, otherwise = (PROGRAM_CODES, OWN_FAILURE) if passes_code else (CODES, FAILED)
    return next((code for kind, code in rows if isinstance(error, kind)), otherwise)


def code_of_codes(codes: Sequence[str]) -> int:
    """Return the exit code for the errors that parts of a command failed with, by their codes."""
    kinds = [kind for code in codes if (kind := e.BY_CODE.get(code))]
    rows = [next((own for row, own in CODES if issubclass(kind, row)), FAILED) for kind in kinds]
    if not codes:
        return OK
    return rows[0] if len(rows) == len(codes) and len(set(rows)) == 1 else FAILED


def two_lines(error: BaseException) -> str:
    """Return what happened with which value, and what to do."""
    if isinstance(error, HoldfastError | Usage):
        what, fix = error.what, error.fix
    elif isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        what = f"the system refused: {error.strerror or error}{where}"
        fix = "mend what the message names and try again"
    else:
        what = f"a bug in Holdfast: {type(error).__name__}: {error}"
        fix = "run it again with HOLDFAST_DEBUG=1 and please report what it prints"
    lines = [f"hold: {one_line(what)}"]
    return "\n".join([*lines, f"      {one_line(fix)}"] if fix else lines)


def tell(error: BaseException) -> None:
    """Write an error to stderr; a traceback only for those who asked for it."""
    if os.environ.get("HOLDFAST_DEBUG"):
        import traceback  # noqa: PLC0415 - only for debugging

        traceback.print_exception(error)
    else:
        print(two_lines(error), file=sys.stderr)


def quiet_pipe() -> int:
    """Whoever read our output has seen enough; return the code that says so."""
    _drop_output()
    return 128 + SIGPIPE


def drop_unwritable() -> None:
    """Give up what could not be written: some Pythons (3.11.2) keep it for their exit."""
    try:
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    # Python would complain when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
