"""The log of hosts: time, level and what happened, as in the daemon's. Never a query or a token."""

import logging
import os
import time
import traceback
from pathlib import Path

LARGEST = 1 << 20  # bytes; then it begins anew, with the one before kept beside it


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


def log_into(file: Path, *, debug: bool) -> None:
    """Have this process log there."""
    if file.exists() and file.stat().st_size > LARGEST:
        file.replace(file.with_name(file.name + ".1"))
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("holdfast.host").setLevel(logging.DEBUG if debug else logging.INFO)
    # It names each socket with its query, and complains of peers that give up.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
