"""Start a keeper: `python -I -S holdfast/keeper/__main__.py SPEC`.

The process that is started waits until the keeper listens and says so by its exit code;
the keeper itself is its child, so it is nobody's job and has no terminal, ever.
"""

import json
import os
import signal
import sys

TYPE_CHECKING = False  # as in `plain`, whose path is not known yet
if TYPE_CHECKING:
    from holdfast.keeper.plain import Any


def main() -> int:
    launch = json.loads(sys.argv[1])
    sys.path.insert(0, launch["root"])
    is_successor = sys.argv[2:] == ["--successor"]
    if len(sys.argv) > 2 and not is_successor:  # we became this by exec, or check before that
        from holdfast.keeper.keeper import Keeper  # noqa: PLC0415 - the path is known only now
        from holdfast.keeper.reexec import revive  # noqa: PLC0415

        keeper = revive(Keeper, launch, int(sys.argv[3]), checking=sys.argv[2] == "--check")
        return keeper.run() if keeper else 0
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        with os.fdopen(reader) as answer:
            said = answer.read()
        print(said.partition(":")[2] or "the keeper died while starting")  # noqa: T201
        return 0 if said.startswith("ok:") else 1
    os.close(reader)
    return _serve(launch, writer, is_successor=is_successor)


def _serve(launch: "dict[str, Any]", writer: int, *, is_successor: bool) -> int:
    from holdfast.keeper import place  # noqa: PLC0415 - the path is known only now
    from holdfast.keeper.keeper import ADOPTION, Keeper  # noqa: PLC0415
    from holdfast.keeper.processes import SIGNALS  # noqa: PLC0415

    # Until there are handlers: somebody who found our lock taken may nudge us at once.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        if is_successor and not place.somebody_listens(os.path.join(launch["runtime"], ADOPTION)):
            os.write(writer, b"failed:the daemon that asked for a successor has gone")
            return 1
        _detach(place.open_log(os.path.join(launch["state"], "keeper.log")))
        lock = place.lock(os.path.join(launch["state"], "keeper.lock"), launch["runtime"])
        keeper = Keeper(launch, lock)
        keeper.open()
    except place.PlaceTaken as taken:
        place.nudge(str(taken))
        os.write(writer, b"ok:another keeper lives")
        return 0
    except (OSError, place.PlaceRefused) as error:
        os.write(writer, f"failed:{error}".encode())
        return 1
    os.write(writer, b"ok:listening")
    os.close(writer)
    return keeper.run()


def _detach(log: int) -> None:
    """Leave the starter's terminal and directory; never close 1 and 2.

    The next descriptor opened would become one of them, and a traceback would be printed
    into a session.
    """
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)
    os.close(log)
    os.chdir("/")


if __name__ == "__main__":
    sys.exit(main())
