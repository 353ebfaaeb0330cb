"""How a socket of engine.io is read and written: as the library does, with less between.

The library makes two tasks and two timers for each message, to end a socket that has become
silent, and one that was closed while nobody read it stays open. One timer that is put off, and
brought forward for that, does both.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

FAREWELL = 1.0  # seconds for what is left to be sent


Read = Callable[[Any], Any]
"""Makes a packet of what came."""


def speed_up(engine: Any, silence: float, read: Read) -> None:
    """Have a new socket of engine.io read and written here; silent for so long, it ends."""

    async def talk(web_socket: Any) -> None:
        await _talk(engine, web_socket, silence, read)

    engine._websocket_handler = talk  # noqa: SLF001 - the library has no other place for it


def hurry(engine: Any) -> None:
    """End a socket that was closed, whether or not its peer takes note of that."""
    limit = getattr(engine, "holdfast_limit", None)
    if limit is not None and engine.closed:
        limit.reschedule(asyncio.get_running_loop().time() + FAREWELL)


async def _talk(engine: Any, web_socket: Any, silence: float, read: Read) -> None:
    engine.connected = engine.upgraded = True
    writing = asyncio.create_task(_write(engine, web_socket))
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(silence) as limit:
            engine.holdfast_limit = limit
            while True:
                data = await web_socket.wait()
                if not engine.closed:
                    limit.reschedule(loop.time() + silence)
                await engine.receive(read(data))
    except (OSError, TimeoutError):
        pass  # it has ended, or is as good as that
    finally:
        await engine.queue.put(None)
        if not (await asyncio.wait([writing], timeout=FAREWELL))[0]:
            writing.cancel()  # its peer does not read
        await engine.close(wait=False, abort=True, reason=engine.server.reason.TRANSPORT_CLOSE)


async def _write(engine: Any, web_socket: Any) -> None:
    queue = engine.queue
    with contextlib.suppress(OSError, RuntimeError):  # its peer has gone; who reads is told
        while (packet := await _next(queue)) is not None:
            await web_socket.send(packet.encode())
    while not queue.empty():  # or who waits for the rest to be sent waits for ever
        queue.get_nowait()
        queue.task_done()
    await web_socket.close()


async def _next(queue: "asyncio.Queue[Any]") -> Any:
    packet = await queue.get()
    queue.task_done()
    return packet
