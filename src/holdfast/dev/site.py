"""The folder as a site: what is answered to a request, and when its files have changed."""

import asyncio
import mimetypes
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from holdfast.dev import folder as files
from holdfast.dev.changes import Change, History
from holdfast.dev.clients import Clients
from holdfast.dev.folder import Folder, Found
from holdfast.dev.ignore import Ignored
from holdfast.dev.injecting import injected, tag, wants_script
from holdfast.dev.settling import RIPE, Settling

GLANCE = 0.01  # seconds between two looks at a file that is just being written
# What pages need and systems do not agree on.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff2": "font/woff2",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".md": "text/plain",
}
_BUILT_IN = mimetypes.MimeTypes()  # not those of this machine: pages work alike everywhere
PAGES = (".html", ".htm")
TEXTS = ("text/", "application/json", "application/manifest", "image/svg")
FRESH = ("cache-control", "no-store")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a browser gets: bytes, or a file that is sent in pieces."""

    status: int = 200
    type: str = "text/plain; charset=utf-8"
    body: bytes | Path = b""
    headers: tuple[tuple[str, str], ...] = (FRESH,)


NOT_ALLOWED = Answer(status=405, body=b"only GET and HEAD\n", headers=(("allow", "GET, HEAD"),))


@dataclass(kw_only=True)
class Site:
    """Serves a folder, and tells its pages what has changed."""

    folder: Folder
    ignored: Ignored
    history: History
    clients: Clients
    on_change: Callable[[Change], None] = lambda _: None
    _asked: dict[str, str] = field(default_factory=dict)
    """Files that pages have asked for, with the path they used."""

    def __post_init__(self) -> None:
        self._settling = Settling(files.look)
        self._timer: asyncio.TimerHandle | None = None

    # -- requests

    async def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        """Return what a browser gets that asks for a decoded path."""
        if method not in ("GET", "HEAD"):
            return NOT_ALLOWED
        found = self.folder.find(path)
        if found is None:
            return self._missing(path, headers)
        if found.needs_slash:
            inside = found.path.relative_to(self.folder.root).as_posix()
            return Answer(status=307, headers=(("location", quote(f"/{inside}/")), FRESH))
        return await self._file(path, found, headers)

    async def _file(self, path: str, found: Found, headers: Mapping[str, str]) -> Answer:
        try:
            data = await self._content(found)
        except FileNotFoundError:
            self._serve(found, None)
            return self._missing(path, headers)
        except OSError as error:
            said = f"{path} cannot be read: {error.strerror or error}"
            return self._page(500, "This file cannot be read", said, headers)
        if data is None:
            return self._in_pieces(found)
        self._serve(found, data)
        kind = type_of(found.path)
        if found.path.suffix.lower() in PAGES and wants_script(headers.get("sec-fetch-dest", "")):
            data = injected(data, tag(self.clients.token, self.history.state))
        elif "range" in headers:
            return self._in_pieces(found)
        return Answer(type=kind, body=data)

    async def _content(self, found: Found) -> bytes | None:
        """Return the content, a moment later if it is just being written.

        Straight from the loop: a file this small lies in memory, and a thread costs more.
        """
        give_up = time.monotonic() + RIPE
        while True:
            try:
                data = files.read(found.path)
            except FileNotFoundError:
                if time.monotonic() > give_up or not _is_young(found.path.parent):
                    raise
            else:
                if data != b"" or time.monotonic() > give_up or not _is_young(found.path):
                    return data
            await asyncio.sleep(GLANCE)

    def _serve(self, found: Found, data: bytes | None) -> None:
        """Note what a page is given: it may be newer than what others show."""
        place = str(found.path)
        name = "/" + found.path.relative_to(self.folder.root).as_posix()
        self._asked[place] = name
        if (real := str(found.path.resolve())) != place:
            self._asked[real] = name
        if self._settling.served(place, None if data is None else files.look_of(data)):
            self._tell([name])

    def _in_pieces(self, found: Found) -> Answer:
        self._asked[str(found.path)] = "/" + found.path.relative_to(self.folder.root).as_posix()
        return Answer(type=type_of(found.path), body=found.path)

    def _missing(self, path: str, headers: Mapping[str, str]) -> Answer:
        return self._page(404, "There is no such file", f"{path} is not in this folder", headers)

    def _page(self, status: int, title: str, text: str, headers: Mapping[str, str]) -> Answer:
        if "text/html" not in headers.get("accept", ""):
            return Answer(status=status, body=f"{text}\n".encode(errors="replace"))
        element = tag(self.clients.token, self.history.state)
        return Answer(
            status=status,
            type="text/html; charset=utf-8",
            body=error_page(title, text, element),
        )

    # -- changes

    def touched(self, events: Iterable[tuple[str, bool, bool]]) -> None:
        """Files were touched: each with whether it was added, and whether it is gone."""
        now = time.monotonic()
        for path, was_added, is_gone in events:
            if path in self._asked:
                self._settling.touched(path, was_added=was_added, is_asked=True, now=now)
            elif not self._is_folder(path, was_added or is_gone, now):
                self._touched_unasked(path, was_added=was_added, now=now)
        self._settle()

    def _is_folder(self, path: str, has_moved: bool, now: float) -> bool:
        """Touch what was asked for in a folder that came or went; its files are not reported."""
        inside = [each for each in self._asked if each.startswith(path + "/")] if has_moved else []
        for each in inside:
            self._settling.touched(each, was_added=False, is_asked=True, now=now)
        return bool(inside) or Path(path).is_dir()

    def _touched_unasked(self, path: str, *, was_added: bool, now: float) -> None:
        inside = PurePosixPath(path).relative_to(self.folder.root)
        if inside.name == ".gitignore":
            self.ignored.forget()
        if not self.ignored.covers(inside):
            self._settling.touched(path, was_added=was_added, is_asked=False, now=now)

    def _settle(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        changed = self._settling.settled(time.monotonic())
        if changed:
            root = str(self.folder.root)
            self._tell(self._asked.get(path, path[len(root) :]) for path in changed)
        deadline = self._settling.deadline()
        if deadline is not None:
            wait = max(GLANCE, deadline - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._settle)

    def _tell(self, names: Iterable[str]) -> None:
        change = self.history.note(names)
        self.clients.tell_change(change)
        self.on_change(change)

    def close(self) -> None:
        """Look at nothing any more."""
        if self._timer is not None:
            self._timer.cancel()


def type_of(path: Path) -> str:
    """Return the content type of a file by its name."""
    suffix = path.suffix.lower()
    kind = TYPES.get(suffix) or _BUILT_IN.types_map[1].get(suffix) or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith((*TEXTS, "application/x-js")) else kind


def error_page(title: str, text: str, element: bytes) -> bytes:
    """Return a page that says what is wrong, and is replaced when it no longer is."""
    style = "font:16px/1.5 system-ui,sans-serif;max-width:44em;margin:12vh auto;padding:0 1em"
    head = f"<!doctype html><html><head><meta charset=utf-8><title>{escape(title)}</title>"
    body = f"</head><body style='{style}'><h1>{escape(title)}</h1><pre>{escape(text)}</pre></body>"
    return head.encode() + element + body.encode(errors="replace") + b"</html>"


def _is_young(path: Path) -> bool:
    try:
        return 0 <= time.time() - path.stat().st_mtime < RIPE
    except OSError:
        return False
