"""`hold wrap`: the program first, everything else after it."""

import errno
import os
import socket
import sys
import tempfile
import time
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from holdfast.cli.exits import CANNOT_RUN, NOT_A_PROGRAM, OWN_FAILURE, Exit, Usage, one_line, tell
from holdfast.client.at_once import connect_at_once
from holdfast.config.load import load
from holdfast.config.paths import Paths
from holdfast.config.settings import Config
from holdfast.errors import CommandNotFound, HoldfastError, IoFailed, PermissionDenied
from holdfast.terminal import local_pty
from holdfast.terminal.copying import Copy, Facts
from holdfast.terminal.local_pty import ExecFailed, LocalPty
from holdfast.terminal.notices import Notice
from holdfast.terminal.outer import Outer, has_room
from holdfast.terminal.spool import Spool
from holdfast.terminal.wrap import Ended, environment, finish, program
from holdfast.terminal.wrap import wrap as run_wrapped

if TYPE_CHECKING:
    from holdfast.protocol.messages import Register

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # as the daemon's; nothing that is misread
ID_LENGTH = 10  # nobody can be asked whether it is free: 50 bits make it so
LABEL_LIMIT = 256
LONGEST_PROGRAM = 100_000  # bytes; the daemon refuses much longer ones
GREEN, YELLOW, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[0m"
NO_SUCH = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
DENIED = (errno.EACCES, errno.EPERM, errno.ENOEXEC, errno.EISDIR)


def wrap(values: Namespace) -> int:
    """Run a program in this terminal, mirrored; raise Exit with its code."""
    name = values.name or ""
    if len(name) > LABEL_LIMIT or not name.isprintable():
        what = f"--name is not printable or longer than {LABEL_LIMIT} characters"
        raise Usage(what, "choose a shorter one")
    paths = Paths.find(os.environ, os.getuid())
    session = new_id()
    speaker = Speaker(is_quiet=values.quiet)
    config = speaker.config(paths)
    first = speaker.begin(paths, session)
    outer = Outer(sys.stdin.fileno(), sys.stdout.fileno())
    argv = program(values.program, os.environ)
    outer.guard()
    try:
        pty = _started(argv, session, outer)
        described = _Described(session, name, argv, time.time(), pty, outer)
        facts = Facts(session, _label(outer), pty.pid, described.register)
        spool = Spool(config.wrap_memory, config.wrap_spool, lambda: _spool_file(paths))
        copy = Copy(facts, paths, spool, first=first, now=time.monotonic())
        speaks_at_once = not sys.stderr.isatty()
        say = partial(speaker.say, is_raw=outer.is_terminal)
        ended = run_wrapped(pty, outer, copy, say, says_at_once=speaks_at_once)
    finally:
        outer.close()
    finish(copy, ended)
    if (last := copy.last_notice(time.monotonic())) is not None:
        speaker.say(last)
    copy.close()
    raise Exit(code_of(ended))


def code_of(ended: Ended) -> int:
    """Return what a shell would have returned for the program, or for us."""
    if ended.told_to_leave is not None:
        return 128 + ended.told_to_leave
    assert ended.status is not None
    code = os.waitstatus_to_exitcode(ended.status)
    return code if code >= 0 else 128 - code


def new_id() -> str:
    """Return an id for a session that no daemon knows of yet."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in os.urandom(ID_LENGTH))


# -- what is said


class Speaker:
    """Says one line at a time on stderr, in colour where somebody sees it."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._is_terminal = sys.stderr.isatty()
        self._has_colour = self._is_terminal and not os.environ.get("NO_COLOR")

    def config(self, paths: Paths) -> Config:
        """Return the settings; a typo in one must not keep anybody from a shell."""
        try:
            return load(paths.config_file, os.environ)
        except HoldfastError as error:
            self.say(Notice(is_good=False, text=f"settings are not used: {error.what}"))
            return Config()

    def begin(self, paths: Paths, session: str) -> socket.socket | None:
        """Say whether somebody is there; return a connection if there is."""
        try:
            first = connect_at_once(paths.socket)
        except OSError as error:
            reason = error.strerror or str(error)
            text = f"no daemon on {paths.socket} ({reason}); `hold daemon start` starts it, and "
            self.say(Notice(is_good=False, text=text + f"session {session} is sent to it then"))
            return None
        text = f"session {session}: `hold output {session} --follow` shows it elsewhere"
        self.say(Notice(is_good=True, text=text))
        return first

    def say(self, notice: Notice, *, is_raw: bool = False) -> None:
        """Write a line, if the terminal takes it."""
        if self._is_quiet or not has_room(sys.stderr.fileno()):
            return
        text = one_line(f"hold wrap: {notice.text}")
        if self._has_colour:
            text = f"{GREEN if notice.is_good else YELLOW}{text}{PLAIN}"
        # A raw terminal goes down, but not back to the left, by a new line alone.
        line = text + ("\r\n" if is_raw and self._is_terminal else "\n")
        try:
            os.write(sys.stderr.fileno(), line.encode(errors="replace"))
        except OSError:
            pass  # it has gone, or is full: no reason not to go on


# -- the program


def _started(argv: list[str], session: str, outer: Outer) -> LocalPty:
    environ = environment(os.environ, session)
    try:
        return local_pty.start(argv, environ, outer.modes, outer.size())
    except ExecFailed as error:
        failed, code = _of_exec(argv[0], error)
    except OSError as error:
        failed = IoFailed(action="making a terminal", reason=error.strerror or str(error))
        code = OWN_FAILURE
    tell(failed)
    raise Exit(code)


def _of_exec(name: str, error: ExecFailed) -> tuple[HoldfastError, int]:
    if error.number in NO_SUCH:
        return CommandNotFound(command=name), NOT_A_PROGRAM
    if error.number in DENIED:
        return PermissionDenied(action=f"running {name}: {error}"), CANNOT_RUN
    return IoFailed(action=f"running {name}", reason=str(error)), OWN_FAILURE


class _Described(NamedTuple):
    """What the daemon is told of the session."""

    session: str
    name: str
    argv: list[str]
    started: float
    pty: LocalPty
    outer: Outer

    def register(self, cwd: bytes) -> "Register":
        from holdfast.protocol.messages import Register  # noqa: PLC0415 - the program runs first
        from holdfast.terminal.size import size_of  # noqa: PLC0415

        outer = self.outer
        size = size_of(outer.stdin if outer.is_terminal else outer.stdout) or (0, 0)
        attributes = {
            "shell": self.argv[0][-LABEL_LIMIT:],
            "pid": str(self.pty.pid),
            "tty": self.pty.name,
            "hostname": socket.gethostname(),
            "parent": os.environ.get("HOLDFAST_SESSION_ID", ""),
        }
        return Register(
            session=self.session,
            argv=_shortened(self.argv),
            cwd=cwd,
            cols=size[0],
            rows=size[1],
            name=self.name,
            started=self.started,
            attributes={key: text for key, text in attributes.items() if text},
        )


def _shortened(argv: list[str]) -> list[bytes]:
    """Return as many words of a program as the daemon wants to know."""
    words, left = [], LONGEST_PROGRAM
    for word in map(os.fsencode, argv):
        words.append(word[:left])
        left -= len(word)
        if left <= 0:
            break
    return words


def _label(outer: Outer) -> str:
    """Return what others see us by, as every command has it."""
    try:
        return f"terminal {os.ttyname(outer.stdin).removeprefix('/dev/')}"
    except OSError:
        return "script"


def _spool_file(paths: Paths) -> int:
    """Return a file for what does not fit into memory; it has no name, so none is left over."""
    paths.prepare(os.getuid())
    fd, name = tempfile.mkstemp(prefix="wrap-", suffix=".spool", dir=paths.state)
    Path(name).unlink()
    return fd
