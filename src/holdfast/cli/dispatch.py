"""Parse, call, and turn whatever happened into an exit code."""

import importlib
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from holdfast.cli import exits, paging
from holdfast.cli.commands import BY_NAME, Command
from holdfast.cli.parsing import parse

if TYPE_CHECKING:
    from holdfast.cli.first_look import FirstLook

Handler = Callable[[Namespace], int]


def run(words: Sequence[str], client_id: str = "", look: "FirstLook | None" = None) -> int:
    """Run one command line; return the exit code.

    A *client_id* is of a quick command that was not to be, and may have been sent already.
    A first *look* goes to who takes the terminal over from it; here it ends before all else.
    """
    passes_code = False
    try:
        if not words:  # no session is called nothing: it means whichever there is
            words = ["attach", ""] if sys.stdin.isatty() and sys.stdout.isatty() else ["ls"]
        parsed = parse(words)
        if parsed.command is None or parsed.text:
            paging.show(parsed.text)
            sys.stdout.flush()
            return exits.OK
        is_staying = parsed.command in (BY_NAME["run"], BY_NAME["attach"])
        passes_code = is_staying and not getattr(parsed.values, "detach", False)
        parsed.values.client_id = client_id
        parsed.values.look = look
        code = handler_of(parsed.command)(parsed.values)
        sys.stdout.flush()  # a full disk or a closed pipe shows here, not after the last handler
    except BaseException as error:  # noqa: BLE001 - the edge where every error becomes two lines
        if look is not None:
            look.over()
        return code_told(error, passes_code=passes_code)
    return code


def code_told(error: BaseException, *, passes_code: bool = False) -> int:
    """Say what went wrong and return the exit code for it."""
    if isinstance(error, exits.Exit):
        return error.code
    if isinstance(error, BrokenPipeError):
        return exits.quiet_pipe()
    if isinstance(error, KeyboardInterrupt):
        return 130
    if not isinstance(error, Exception):
        raise error
    exits.tell(error)
    exits.drop_unwritable()
    return exits.code_of(error, passes_code=passes_code)


def handler_of(command: Command) -> Handler:
    """Return the function that does it; its imports are paid only now."""
    _import_msgspec_alone()
    module, _, name = command.handler.partition(":")
    handler: Handler = getattr(importlib.import_module(module), name)
    return handler


def _import_msgspec_alone() -> None:
    """Import it without what it can do without, and would wait for: half of its time.

    It takes from `typing_extensions`, where there is one, what `typing` has as well.
    """
    if "typing_extensions" not in sys.modules:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # not to be had
        try:
            import msgspec  # noqa: F401, PLC0415
        finally:
            del sys.modules["typing_extensions"]
