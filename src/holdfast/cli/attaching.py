"""`hold attach`, `hold` alone, and staying on a session: this terminal, and nothing of it kept."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from holdfast.cli import door, render
from holdfast.cli.exits import OK, Exit, Usage, note
from holdfast.cli.first_look import FirstLook
from holdfast.cli.sessions import code_of_program
from holdfast.client.plain import Client
from holdfast.config.load import load
from holdfast.config.paths import agent_link
from holdfast.errors import HoldfastError, NotFound
from holdfast.protocol.messages import Get, List, Restore, Role, SessionInfo
from holdfast.terminal.agent import lend_agent
from holdfast.terminal.attach import Around, Local, Wish
from holdfast.terminal.attach import attach as attach_terminal
from holdfast.terminal.display import NO_TITLE
from holdfast.terminal.outer import BELOW, Outer
from holdfast.terminal.rawmode import ToldToLeave

SESSION = "HOLDFAST_SESSION_ID"
LAST_BUT_ONE = "-"  # as `cd -` has it
OVER = ("exited", "lost")
GONE = 5  # the exit code of what can be restored


class Terminal(NamedTuple):
    """This process's terminal, guarded."""

    local: Local
    outer: Outer


@contextmanager
def terminal(look: FirstLook | None = None) -> Iterator[Terminal]:
    """Have the terminal given back even if we are killed. Before there is a connection."""
    painted = look.taken() if look is not None else None
    outer = painted or Outer(sys.stdin.fileno(), sys.stdout.fileno())
    kind = os.environ.get("TERM", "dumb")
    local = Local(
        outer.stdin,
        outer.stdout,
        can_answer=kind not in NO_TITLE,  # they would show what they are asked
        has_title=kind not in NO_TITLE,
        modes=outer.modes,
        is_painted=painted is not None,
    )
    if painted is None and local.is_terminal:
        outer.guard()
    try:
        yield Terminal(local, outer)
    except (HoldfastError, KeyboardInterrupt):
        if painted is not None:
            with suppress(OSError):  # the terminal is gone
                os.write(local.stdout, BELOW)
        raise
    finally:
        outer.close()


def attach(values: Namespace) -> int:
    """Show a session in this terminal until its end or a detach."""
    if values.id == "":
        return home(values.look)
    if values.observe and values.takeover:
        what = "who looks on takes nothing over"
        raise Usage(what, "leave out --observe or --takeover")
    role = Role.STREAM if values.observe else Role.CONTROL
    with terminal(values.look) as local, door.client(role) as client:
        session = meant(client, values.id)
        refuse_inside(client, local, nested=values.nested, wanted=session)
        if session.state == "dormant" and not values.observe:
            session = client.call(Restore(session=session.id, life=session.life))
            note(f"session {called(session)} runs again: its program had gone with the machine")
        return stay(
            client,
            session,
            local,
            observe=values.observe,
            takeover=values.takeover,
            since=values.since,
        )


def home(look: FirstLook | None) -> int:
    """Attach to the session there is, or begin one; of several one is chosen."""
    from holdfast.cli import picker, starting  # noqa: PLC0415 - only for who types `hold` alone
    from holdfast.cli.parsing import parse  # noqa: PLC0415

    with terminal(look) as local, door.client() as client:
        if (inside := where(client)) is not None:
            note(f"this is session {called(inside)}; Ctrl-\\ pressed twice leaves it")
            note("`hold ls` lists the others, `hold run -d` starts one beside it")
            return OK
        sessions = [each for each in client.call(List()).sessions if not each.mirrored]
        chosen = sessions[0] if len(sessions) == 1 else None
        if len(sessions) > 1:
            picked = picker.pick(client, sessions, local.local, local.outer)
            if picked is picker.NOTHING:
                return OK
            if picked is not picker.NEW:
                # As it is by now: the list went on while somebody looked at it.
                chosen = client.call(Get(session=picked))
        if chosen is not None:
            if chosen.state == "dormant":
                chosen = client.call(Restore(session=chosen.id, life=chosen.life))
            return stay(client, chosen, local)
        values = parse(["run"]).values
        created = starting.created_for(client, values, starting.create_request(values, os.environ))
        return stay(client, created.session, local, fresh=True)


def meant(client: Client, text: str | None) -> SessionInfo:
    """Return the session of that name, id or key; for nothing and `-` the last, the one before.

    The beginning of a name is enough here, where somebody looks at what they have got: in a
    script it could be another session than yesterday.
    """
    if text in (None, LAST_BUT_ONE):
        return _last(client, 0 if text is None else 1)
    try:
        return client.call(Get(session=text or ""))
    except NotFound:
        begun = [each for each in door.sessions(client) if each.name.startswith(text or " ")]
        return begun[0] if len(begun) == 1 else door.session_named(client, text or "")


def _last(client: Client, at: int) -> SessionInfo:
    """Return the living session that somebody was on last, or the one before."""
    own = os.environ.get(SESSION, "")
    sessions = [each for each in door.sessions(client) if own != each.id]
    sessions.sort(key=lambda each: each.last_attached or each.created, reverse=True)
    if len(sessions) > at:
        return sessions[at]
    other, start = ("other ", "`hold run -d`") if own else ("", "`hold run`")
    what = f"only session {called(sessions[0])} lives" if sessions else f"no {other}session lives"
    raise NotFound(session="").said(what, f"{start} starts {'another' if sessions else 'one'}")


# -- inside of another


def where(client: Client) -> SessionInfo | None:
    """Return the session that this process runs in; what has left it is in none.

    One that only mirrors its terminal, as `hold wrap` does, is no place to be inside of.
    """
    own = os.environ.get(SESSION, "")
    if not own:
        return None
    try:
        session = client.call(Get(session=own))
    except HoldfastError:
        return None  # of another home, or long forgotten
    is_there = session.id == own and session.state not in OVER
    return session if is_there and not session.mirrored else None


def refuse_inside(
    client: Client, local: Terminal, *, nested: bool, wanted: SessionInfo | None = None
) -> None:
    """Raise Usage for who would see a session inside of itself, or of another unasked."""
    own = os.environ.get(SESSION, "")
    if wanted is not None and own == wanted.id:
        what = f"this is session {called(wanted)} itself"
        raise Usage(what, "Ctrl-\\ pressed twice leaves it; `hold output` shows what it printed")
    if nested or not local.local.is_terminal or (inside := where(client)) is None:
        return
    what = f"this is inside session {called(inside)}"
    if wanted is None:
        fix = "start one beside it with `hold run -d`, or in here with --nested"
    else:
        fix = "leave it first (Ctrl-\\ twice), or show the other in here with --nested"
    raise Usage(what, fix)


# -- staying


def stay(
    client: Client,
    session: SessionInfo,
    local: Terminal,
    *,
    fresh: bool = False,
    observe: bool = False,
    takeover: bool = False,
    since: int | None = None,
) -> int:
    """Show the session until its end or a detach; return the exit code."""
    paths = door.places()
    config = load(paths.config_file, os.environ)
    wish = Wish(
        fresh=fresh,
        observe=observe,
        takeover=takeover,
        since=since,
        key=ord(config.attach_key[-1].upper()) & 0x1F,
        within=config.detach_within,
    )
    link = agent_link(paths.runtime, session.id)
    around = Around(local.outer.note_undo, lambda: lend_agent(link, os.environ))
    was_over = session.state in OVER and not fresh
    try:
        left = attach_terminal(client, session, local.local, wish, around)
    except ToldToLeave as told:
        raise Exit(128 + told.number) from None
    except (KeyboardInterrupt, HoldfastError, BrokenPipeError):
        note(way_back(session))
        raise
    if left.undelivered:
        note(f"[{left.undelivered} bytes typed last were not taken by the program]")
    if left.ended is None:
        note(f"[{way_back(session)}]")
        return OK
    if was_over:
        note(f"[{_epitaph(left.ended)}]")
    return code_of_end(left.ended)


def called(session: SessionInfo) -> str:
    return session.name or session.id


def way_back(session: SessionInfo) -> str:
    """Return how to find a session again."""
    import shlex  # noqa: PLC0415 - compiles a pattern

    return f"session {called(session)} goes on: `hold attach {shlex.quote(called(session))}`"


def code_of_end(ended: SessionInfo) -> int:
    """Return the exit code for a session that is over, or that waits to be started again."""
    if ended.state in ("lost", "dormant"):
        name = called(ended)
        note(f"session {name} is {ended.recovery or ended.state}: `hold restore {name}` runs it")
        return GONE
    return code_of_program(ended)


def _epitaph(session: SessionInfo) -> str:
    ago = "" if session.ended is None else f", {render.ago(time.time() - session.ended)}"
    return f"session {called(session)} has ended: {render.state_words(session)}{ago}"
