"""Who is let in, and what becomes of the seat of who is not."""

import os
import time
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError
from holdfast.host.guard import a_bug
from holdfast.host.host import Facts, Host
from holdfast.host.tokens import Tokens
from holdfast.host.tries import Tries
from holdfast.host.visit import Place
from tests.support.twins import run

# No daemon can be found in it, whatever else is right.
NOWHERE = {"HOLDFAST_HOME": "not/absolute"}


def test_a_seat_that_cannot_be_given_is_free_again(tmp_path: Path) -> None:
    async def work() -> None:
        tokens = Tokens(tmp_path / "tokens.json", uid=os.getuid())
        now = time.time()
        token = tokens.redeem(tokens.issue_code(now), now).token
        host = Host(
            Facts("1", 1, now, "hold host", read_only=False),
            Place(NOWHERE, tmp_path, "/bin/sh"),
            tokens=tokens,
            tries=Tries(),
            idle_timeout=10.0,
            ended=lambda _reason: None,
        )
        auth = {"protocol": 1, "token": token, "client_id": "one", "seat": "/"}
        with pytest.raises(HoldfastError):
            await host.connected("socket", auth, "peer")

        assert host.registry.active("/") is None
        assert (host.tabs, host.views) == (0, 0)
        assert host.watchdog.last_detach is not None

    run(work())


def test_a_bug_leads_to_the_log_of_the_process_that_has_it() -> None:
    found = a_bug(ValueError("with a secret"))

    assert found.code == "INTERNAL"
    assert "host.log" in found.fix
    assert "secret" not in found.what + found.fix
