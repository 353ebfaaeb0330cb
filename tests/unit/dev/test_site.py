"""A page may get a content before the watcher has reported it."""

import asyncio
import json
from pathlib import Path

from holdfast.dev.changes import History
from holdfast.dev.clients import Client, Clients
from holdfast.dev.folder import Folder
from holdfast.dev.ignore import Ignored
from holdfast.dev.site import Site

HTML = {"accept": "text/html"}


def site_of(root: Path) -> Site:
    history = History()
    return Site(
        folder=Folder(root, dotfiles=False),
        ignored=Ignored(root.resolve(), dotfiles=False),
        history=history,
        clients=Clients(history, on_restart=lambda: None),
    )


def said_to(client: Client) -> list[dict[str, object]]:
    return [json.loads(client.outbox.get_nowait() or "") for _ in range(client.outbox.qsize())]


def test_what_one_page_was_given_others_are_told_and_it_is_not(tmp_path: Path) -> None:
    """Else a burst would be shown twice: once when it is asked for, once when it is reported."""
    path = tmp_path / "index.html"
    path.write_text("one")

    async def play() -> None:
        site, other = site_of(tmp_path), Client()
        await site.answer("GET", "/", HTML)
        site.clients.enter(other, 0)
        assert [each["kind"] for each in said_to(other)] == ["hello"]
        path.write_text("two")
        answer = await site.answer("GET", "/", HTML)
        assert isinstance(answer.body, bytes)
        assert b'data-state="1"' in answer.body
        assert [each["state"] for each in said_to(other)] == [1]
        site.touched([(str(path.resolve()), False, False)])
        assert said_to(other) == []
        site.close()

    asyncio.run(play())


def test_a_file_that_is_empty_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text("")

    async def play() -> None:
        site = site_of(tmp_path)
        asking = asyncio.create_task(site.answer("GET", "/a.js", {}))
        await asyncio.sleep(0)
        path.write_text("full")
        assert (await asking).body == b"full"

    asyncio.run(play())
