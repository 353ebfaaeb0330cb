"""The frames a fault proxy knows are those of a real daemon."""

from pathlib import Path

import pytest

from holdfast.session.held import OutOfOrder
from tests.support.flood import Flood
from tests.support.home import running_home
from tests.support.looker import Looker
from tests.support.proxy import proxied


@pytest.mark.slow
def test_below_a_client_of_a_real_daemon_it_is_not_noticed(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h") as home,
        home.client() as client,
        proxied(home.paths.socket, tmp_path / "proxy") as proxy,
    ):
        flood = Flood(home, client)
        with Looker(home, flood.id, path=tmp_path / "proxy", since=0, policy="lossless") as looker:
            for _ in range(20):
                flood.grows(client)
            flood.finish(client)
            looker.until_finished()
        log = home.output(client, flood.id)
        counts = proxy.counts()
    assert looker.data == log
    assert counts.down.size > len(log)
    assert counts.down.frames > 3


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["duplicate", "reorder"])
def test_a_duplicated_or_reordered_frame_is_noticed(tmp_path: Path, fault: str) -> None:
    with (
        running_home(tmp_path / "h") as home,
        home.client() as client,
        proxied(home.paths.socket, tmp_path / "proxy") as proxy,
    ):
        session = home.create(client, "seq", "100000").id
        home.ended(client, session)
        getattr(proxy.future, fault)(3)  # welcome, attached, and the first bytes
        with (
            pytest.raises(OutOfOrder),  # while it attaches, if the bytes come with the reply
            Looker(home, session, path=tmp_path / "proxy", since=0, policy="lossless") as looker,
        ):
            looker.until_finished()
