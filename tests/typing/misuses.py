"""What a type checker has to catch, with the words that `tests/test_typing.py` expects of mypy.

With the ignores it passes, and one that is no longer needed is an error: `make check` sees that.
"""

import holdfast
from holdfast import blocking
from holdfast.client import aio
from holdfast.protocol.messages import List, Listed


async def prepare(caller: aio.Caller) -> None:
    await caller.list()


holdfast.connect("label")  # type: ignore[call-arg]  # Too many positional arguments
holdfast.connect(reconect=False)  # type: ignore[call-arg]  # Unexpected keyword argument
blocking.connect(on_reconnect=prepare)  # type: ignore[arg-type]  # incompatible type
print(holdfast.connects)  # type: ignore[attr-defined]  # has no attribute "connects"

with holdfast.connect() as wrong:  # type: ignore[attr-defined]  # has no attribute "__enter__"
    print(wrong)


async def not_awaited(client: holdfast.Client, session: holdfast.Session) -> None:
    print(client.create("sh").id)  # type: ignore[attr-defined]  # has no attribute "id"
    session.write(b"text")  # type: ignore[unused-coroutine]  # must be used
    for item in session.output():  # type: ignore[attr-defined]  # has no attribute "__iter__"
        print(item)
    async with blocking.connect() as wrong:  # type: ignore[attr-defined]  # "__aenter__"
        print(wrong)


async def wrong_values(client: holdfast.Client, session: holdfast.Session) -> None:
    await client.create(["sh", "-c"])  # type: ignore[arg-type]  # incompatible type "list[str]"
    await client.create("sh", size="80x24")  # type: ignore[arg-type]  # tuple[int, int]
    await client.call(List(), Listed, True)  # type: ignore[call-arg]  # Too many positional
    await client.call(List(), list)  # type: ignore[type-var]  # cannot be "list[Any]"
    await session.write("text")  # type: ignore[arg-type]  # expected "bytes"
    await session.send(5)  # type: ignore[arg-type]  # expected "str | bytes"
    await session.resize(80)  # type: ignore[call-arg]  # Missing positional argument "rows"
    session.output(since="1M")  # type: ignore[arg-type]  # expected "int | None"


def wrong_uses(client: blocking.Client, session: blocking.Session) -> None:
    listed: Listed = client.list()  # type: ignore[assignment]  # "list[SessionInfo]"
    print(listed)
    session.id = "mine"  # type: ignore[misc]  # is read-only
    client.state = "online"  # type: ignore[misc, assignment]  # is read-only
    for item in session.output():
        print(item.data)  # type: ignore[union-attr]  # Item "Gap" of
        item.offset = 0  # type: ignore[misc, union-attr]  # is read-only
