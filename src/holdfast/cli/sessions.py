"""`hold kill`."""

from argparse import Namespace

from holdfast.cli import choosing, door, render
from holdfast.cli.exits import OK, OWN_FAILURE, Usage, code_of_codes, note
from holdfast.cli.waiting import end_of
from holdfast.client.plain import Client
from holdfast.protocol.messages import Kill, KillAll, SessionInfo
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


def kill(values: Namespace) -> int:
    """End the sessions that are meant, or all that live."""
    if bool(values.id) == values.all:
        what = "hold kill takes an ID or --all" if values.id else "hold kill needs a session"
        raise Usage(what, "write `hold kill ID`, or `hold kill --all`")
    with door.client() as client:
        if values.all:
            return _kill_all(client, values)
        killed: list[SessionInfo] = []

        def end(session: SessionInfo) -> None:
            client.call(Kill(session=session.id, now=values.now, takeover=values.takeover))
            killed.append(session)

        code = choosing.each(client, values.id, end, question="end", yes=values.yes)
        # All are told before one is waited for: their grace passes at the same time.
        for session in killed:
            end_of(client, session.id, END_TIMEOUT)
            if len(killed) > 1:
                print(render.named(session.id, session.name), "ended")
        return code


def _kill_all(client: Client, values: Namespace) -> int:
    living = [each for each in door.sessions(client) if each.state in LIVING]
    if len(living) > 1 and not values.yes:
        choosing.ask_about(living, "end")
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
