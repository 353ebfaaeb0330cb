"""Start and signal the programs of ours."""

import json
import os
import signal
from collections.abc import Mapping

from holdfast.keeper.plain import Any
from holdfast.keeper.service import Process

SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT}  # a keeper's
PASSED = "HOLDFAST_"  # variables that come from the spec, so that an upgrade brings its own


def command(launch: Mapping[str, Any], package: str, *arguments: str) -> list[str]:
    """Return the command line of a process of ours.

    -I -S: neither the caller's directory nor site files slow it down or lead it astray.
    """
    main = os.path.join(launch["root"], "holdfast", package, "__main__.py")
    return [launch["python"], "-I", "-S", main, json.dumps(launch), *arguments]


def start_process(spec: dict[str, Any], package: str, output: int, *arguments: str) -> int:
    """Start one of our programs with *output* as its 1 and 2; return its pid."""
    argv = command(spec, package, *arguments)
    env = {k: v for k, v in os.environ.items() if not k.startswith(PASSED)}
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
    ]
    return os.posix_spawn(
        argv[0],
        argv,
        env | spec["settings"],
        file_actions=actions,
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP],
        setsigmask=[],
    )


def start_check(spec: dict[str, Any], package: str, *arguments: str) -> tuple[int, int]:
    """Have one of our programs check itself; return its pid and the end of what it says."""
    reader, writer = os.pipe()
    try:
        return start_process(spec, package, writer, "--check", *arguments), reader
    except BaseException:
        os.close(reader)
        raise  # whoever asked is told
    finally:
        os.close(writer)


def signal_process(process: Process, number: int) -> None:
    """Signal a process of a service; one that has just ended needs none."""
    try:
        if process.pidfd >= 0:
            signal.pidfd_send_signal(process.pidfd, number)  # not our child: its pid may be reused
        else:
            os.kill(process.pid, number)
    except ProcessLookupError:
        pass  # just ended, and about to be reaped
