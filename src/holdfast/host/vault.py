"""The file that has the digests of codes and tokens: read when it changed, replaced whole.

It is for its user alone, and is not trusted otherwise: whoever can write into it lets
himself in. What cannot be read lets nobody in and is put aside.
"""

import errno
import fcntl
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.config.paths import distrusted
from holdfast.errors import IoFailed, PermissionDenied

logger = logging.getLogger(__name__)

FILE_LIMIT = 1 << 20  # bytes; all rows there may be are a tenth of it
RETRY = 0.01  # seconds between two tries for the lock, which is held for milliseconds


class CodeRow(Struct):
    """A login code that was not used yet."""

    digest: str
    scope: str
    expires: float


class TokenRow(Struct):
    """A token of a page that logged in."""

    id: str
    digest: str
    scope: str
    created: float
    used: float


class ShareRow(Struct):
    """A link to look at one session."""

    id: str
    code: str
    token: str
    session: str
    expires: float


class Book(Struct):
    """The whole file. Fields are only ever added, with a default."""

    codes: list[CodeRow] = []
    tokens: list[TokenRow] = []
    shares: list[ShareRow] = []


_Signature = tuple[int, int, int, int]
_books = msgspec.json.Decoder(Book)


class Vault:
    """One such file and its lock."""

    def __init__(self, file: Path, *, uid: int) -> None:
        self._file = file
        self._lock = file.with_name(file.name + ".lock")
        self._uid = uid
        # In one piece: a login reads it on another thread than everybody else, and content of one
        # moment under the signature of another would stay, whatever was revoked meanwhile.
        self._known: tuple[Book, _Signature | None] = Book(), None

    def read(self) -> Book:
        """Return what is in the file now; it is not to be changed.

        Raises PermissionDenied, with the fix, for a file that others could have written.
        """
        try:
            found = self._file.lstat()
        except FileNotFoundError:
            return Book()
        except OSError as error:
            raise self._distrust(f"cannot be looked at: {error.strerror}") from error
        book, read_as = self._known
        if read_as != _signature(found):
            book, _ = self._known = self._load()
        return book

    def change(
        self, change: Callable[[Book], None], *, patience: float = 2.0, must: bool = True
    ) -> None:
        """Have *change* alter the file, alone; raise IoFailed if the lock is not to be had.

        What need not happen (*must* is false) does not then.
        """
        with self._locked(patience) as is_mine:
            if is_mine:
                book = msgspec.convert(msgspec.to_builtins(self.read()), Book)
                change(book)
                self._replace(book)
                self._known = Book(), None
            elif must:
                raise IoFailed(
                    action=f"changing {self._file}",
                    reason="another process holds its lock",
                    remedy="end whatever `hold host` or `hold share` was stopped, and try again",
                )

    def _load(self) -> tuple[Book, _Signature]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            fd = os.open(self._file, flags)
        except OSError as error:
            raise self._distrust(f"cannot be opened: {error.strerror}") from error
        with os.fdopen(fd, "rb") as opened:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise self._distrust("is no file")
            if found.st_uid != self._uid or found.st_mode & 0o077:
                raise self._distrust("is not for this user alone")
            try:
                content = opened.read(FILE_LIMIT + 1)
            except OSError as error:
                raise self._distrust(f"cannot be read: {error.strerror}") from error
        try:
            return _books.decode(content), _signature(found)
        except (msgspec.MsgspecError, ValueError):
            aside = self._file.with_name(f"{self._file.name}.damaged")
            with suppress(OSError):  # another host was faster; or it cannot be kept
                self._file.replace(aside)
            logger.warning("%s is damaged: put aside, everybody has to log in again", self._file)
            return Book(), _signature(found)

    def _replace(self, book: Book) -> None:
        fresh = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(fresh, flags, 0o600), "wb") as opened:
                os.fchmod(opened.fileno(), 0o600)  # whatever was left there by a crash
                opened.write(msgspec.json.encode(book))
                opened.flush()
                os.fsync(opened.fileno())
            fresh.replace(self._file)
        except OSError as error:
            raise IoFailed(action=f"writing {self._file}", reason=str(error.strerror)) from error

    @contextmanager
    def _locked(self, patience: float) -> Iterator[bool]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            # Root may write everywhere; what it left here its owner could not use any more.
            state = self._file.parent
            if (refused := distrusted(state, state.lstat(), self._uid)) is not None:
                raise refused
            fd = os.open(self._lock, flags, 0o600)
        except OSError as error:
            raise IoFailed(action=f"locking {self._lock}", reason=str(error.strerror)) from error
        try:
            yield _lock(fd, patience)
        finally:
            os.close(fd)  # ends the lock as well

    def _distrust(self, what: str) -> PermissionDenied:
        return PermissionDenied(
            action=f"using {self._file}, which {what}",
            remedy=f"remove {self._file}; every page then has to log in again",
        )


def _lock(fd: int, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            if time.monotonic() >= until:
                return False
            time.sleep(RETRY)
        else:
            return True


def _signature(found: os.stat_result) -> _Signature:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
