"""The log of hosts: time, level and what happened, as in the daemon's. Never a query or a token."""

import fcntl
import logging
import os
import time
import traceback
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path

LARGEST = 5 << 20  # bytes, as of every log; then it begins anew, and two older ones are kept


class Lines(logging.Formatter):
    """One line for each record, a traceback only for a bug."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += " " + "".join(traceback.format_exception(record.exc_info[1]))
        line = text if text.isprintable() else ascii(text)
        level = record.levelname.lower()
        return f"{moment}.{int(record.msecs):03}Z {level} host[{os.getpid()}] {line}"


class Shared(WatchedFileHandler):
    """A file that several hosts write; whichever finds it grown has it begin anew, once."""

    def reopenIfNeeded(self) -> None:  # noqa: N802 - logging's name; it is called for each line
        """Go on in the new file if there is one, and see to it that there is one in time."""
        with suppress(OSError):  # a full disk, most likely; the old one is better than none
            self._turn_over()
        super().reopenIfNeeded()

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return open(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")  # noqa: PTH123

    def _turn_over(self) -> None:
        if self.stream is None:
            return
        fd = self.stream.fileno()
        if os.fstat(fd).st_size <= LARGEST:
            return
        fcntl.flock(fd, fcntl.LOCK_EX)  # ends with the descriptor, when the new one is opened
        file = Path(self.baseFilename)
        if os.path.samestat(os.fstat(fd), file.stat()):
            older, oldest = (file.with_name(f"{file.name}.{age}") for age in (1, 2))
            with suppress(FileNotFoundError):
                older.replace(oldest)
            file.replace(older)


def log_into(file: Path, *, debug: bool) -> None:
    """Have this process log there."""
    handler = Shared(file)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("holdfast.host").setLevel(logging.DEBUG if debug else logging.INFO)
    # It names each socket with its query, and complains of peers that give up.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
