"""The terminal of browsers, as a judge: `tests/oracle/xterm.js` in a process of Node."""

import base64
import json
import subprocess
from types import TracebackType
from typing import Any, Self

import node
from tests.support.recordings import Event

Found = list[dict[str, dict[str, str]]]


class Xterm:
    """One process for many comparisons: starting it costs more than most of them."""

    def __enter__(self) -> Self:
        program = node.node()
        assert program is not None, "there is no Node here: tools/prepare.py test installs one"
        script = node.ORACLE / "xterm.js"
        self._process = subprocess.Popen(
            [program, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def compare(
        self,
        size: tuple[int, int],
        events: list[Event],
        pictures: list[tuple[int, tuple[int, int], bytes]],
    ) -> Found:
        """Return for each picture (of so many events) what differs at it, and at the end."""
        job: dict[str, Any] = {
            "size": size,
            "events": [_text(event) if isinstance(event, bytes) else event for event in events],
            "pictures": [
                {"after": after, "size": now, "data": _text(data)} for after, now, data in pictures
            ],
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        found: Found = json.loads(self._process.stdout.readline() or b"[]")
        assert len(found) == len(pictures), "the judge has ended"
        return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
