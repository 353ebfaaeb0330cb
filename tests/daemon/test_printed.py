"""Who waits for output, without a daemon."""

import asyncio
from pathlib import Path

from holdfast.daemon.printed import Printed


def test_those_who_gave_up_are_not_kept(tmp_path: Path) -> None:
    """A session may be quiet for days, and be looked at every half a minute."""

    async def scene() -> None:
        printed = Printed(
            asyncio.get_running_loop(), tmp_path, segment_size=1 << 20, sealed=lambda: None
        )
        await printed.grown(0)
        gone = asyncio.create_task(printed.grown(60))
        stays = asyncio.create_task(printed.grown(60))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        assert printed.waiting == 1
        printed.wake()
        await stays
        assert printed.waiting == 0
        printed.close()

    asyncio.run(scene())
