"""Parse, call, and turn whatever happened into an exit code."""

import importlib
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from holdfast.cli import exits
from holdfast.cli.commands import BY_NAME, Command
from holdfast.cli.parsing import parse

Handler = Callable[[Namespace], int]


def run(words: Sequence[str]) -> int:
    """Run one command line; return the exit code."""
    passes_code = False
    try:
        if not words:  # no session is called nothing: it means whichever there is
            words = ["attach", ""] if sys.stdin.isatty() and sys.stdout.isatty() else ["ls"]
        parsed = parse(words)
        if parsed.command is None or parsed.text:
            print(parsed.text)
            sys.stdout.flush()
            return exits.OK
        is_staying = parsed.command in (BY_NAME["run"], BY_NAME["attach"])
        passes_code = is_staying and not getattr(parsed.values, "detach", False)
        code = handler_of(parsed.command)(parsed.values)
        sys.stdout.flush()  # a full disk or a closed pipe shows here, not after the last handler
    except exits.Exit as left:
        return left.code
    except BrokenPipeError:
        return exits.quiet_pipe()
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the edge where every error becomes two lines
        exits.tell(error)
        return exits.code_of(error, passes_code=passes_code)
    return code


def handler_of(command: Command) -> Handler:
    """Return the function that does it; its imports are paid only now."""
    module, _, name = command.handler.partition(":")
    handler: Handler = getattr(importlib.import_module(module), name)
    return handler
