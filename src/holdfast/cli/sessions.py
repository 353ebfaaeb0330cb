"""`hold ls`, `hold kill`."""

import os
import sys
from argparse import Namespace

from holdfast.cli import door, render
from holdfast.cli.exits import OK, OWN_FAILURE, Usage, code_of_codes, note
from holdfast.cli.waiting import end_of
from holdfast.protocol.messages import Kill, KillAll, List, Role, SessionInfo
from holdfast.types import ExitStatus

END_TIMEOUT = 60.0  # seconds; the grace, which is a setting, and 10 s for the last output
LIVING = ("starting", "running", "terminating")


def code_of_program(ended: SessionInfo) -> int:
    """Return what a shell would have returned for the program."""
    code = ExitStatus(code=ended.exit_code, signal=ended.exit_signal).as_shell_code()
    if code is None:
        note(f"session {ended.id} has ended; nobody could learn how")
        return OWN_FAILURE
    return code


def ls(values: Namespace) -> int:
    """List sessions."""
    with door.client(Role.STREAM) as client:
        sessions = client.call(List(ended=values.all)).sessions
    if values.json:
        print(render.as_json([render.session_fields(each) for each in sessions]))
    elif sessions:
        width = render.print_width(sys.stdout.fileno())
        home = os.environ.get("HOME", "")
        print(render.session_table(sessions, now=render.clock(), home=home, width=width))
    else:
        note("no sessions; `hold run` starts one with your shell, `hold run -d -- CMD` any program")
    return OK


def kill(values: Namespace) -> int:
    """End one session, or all that live."""
    if bool(values.id) == values.all:
        what = "hold kill needs a session" if not values.id else "hold kill takes an ID or --all"
        raise Usage(what, "write `hold kill ID`, or `hold kill --all`")
    with door.client() as client:
        if not values.all:
            session = door.session_named(client, values.id)
            client.call(Kill(session=session.id, now=values.now, takeover=values.takeover))
            end_of(client, session.id, END_TIMEOUT)
            return OK
        answer = client.call(KillAll(now=values.now, takeover=values.takeover))
        for session in answer.killed:
            if session.state in LIVING:
                end_of(client, session.id, END_TIMEOUT)
    if not answer.killed and not answer.spared:
        note("no session lives")
        return OK
    for session in answer.killed:
        print(render.named(session.id, session.name), "ended")
    for spared in answer.spared:
        note(f"{render.named(spared.session, spared.name)} not ended: {spared.what}")
    return code_of_codes([spared.code for spared in answer.spared])
