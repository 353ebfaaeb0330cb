"""Codes, tokens and shares: who is let in, for how long, and what the disk has of it (T28)."""

import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.errors import AuthFailed, IoFailed, LimitReached, PermissionDenied
from holdfast.host.tokens import (
    CODE_LASTS,
    MOST_CODES,
    MOST_SHARES,
    MOST_TOKENS,
    NOTED_EVERY,
    UNUSED_LASTS,
    Login,
    Tokens,
)
from holdfast.host.vault import FILE_LIMIT

NOW = 1_700_000_000.0
DAY = 86400.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "host-tokens.json"


def opened(file: Path) -> Tokens:
    """What another process has of it."""
    return Tokens(file, uid=os.getuid())


@pytest.fixture
def tokens(file: Path) -> Tokens:
    return opened(file)


def login(tokens: Tokens, now: float = NOW) -> Login:
    return tokens.redeem(tokens.issue_code(now), now)


def is_refused(tokens: Tokens, code: str, now: float = NOW) -> bool:
    try:
        tokens.redeem(code, now)
    except AuthFailed:
        return True
    return False


# -- login codes


def test_a_code_buys_a_token_that_lets_in(tokens: Tokens) -> None:
    bought = login(tokens)

    assert (bought.grant.scope, bought.grant.session) == ("full", "")
    assert tokens.check(bought.token, NOW) == bought.grant


def test_a_code_is_used_once(tokens: Tokens) -> None:
    code = tokens.issue_code(NOW)
    tokens.redeem(code, NOW)

    assert is_refused(tokens, code)


def test_two_hosts_that_are_shown_one_code_let_one_in(file: Path, tokens: Tokens) -> None:
    code, other = tokens.issue_code(NOW), opened(file)
    other.check("", NOW)  # it has read the file
    tokens.redeem(code, NOW)

    assert is_refused(other, code)


def test_a_code_lasts_five_minutes(tokens: Tokens) -> None:
    code = tokens.issue_code(NOW)

    assert is_refused(tokens, code, NOW + CODE_LASTS)


def test_a_code_may_be_typed_as_people_do(tokens: Tokens) -> None:
    code = tokens.issue_code(NOW)

    assert tokens.redeem(f" {code.upper().replace('-', ' ')}\n", NOW).token


@pytest.mark.parametrize("code", ["", " ", "aaaa-aaaa-aaaa", "é" * 12, "\0", "x" * 100_000])
def test_a_wrong_code_buys_nothing_and_costs_no_code(tokens: Tokens, code: str) -> None:
    right = tokens.issue_code(NOW)

    assert is_refused(tokens, code)
    assert tokens.redeem(right, NOW).token


def test_the_scope_of_a_host_that_only_shows_is_that_of_its_codes(tokens: Tokens) -> None:
    code = tokens.issue_code(NOW, scope="read")

    assert tokens.redeem(code, NOW).grant.scope == "read"


def test_codes_that_nobody_uses_do_not_pile_up(tokens: Tokens) -> None:
    first, *_, last = [tokens.issue_code(NOW) for _ in range(MOST_CODES + 1)]

    assert is_refused(tokens, first)
    assert tokens.redeem(last, NOW).token


# -- tokens


@pytest.mark.parametrize("token", ["", "wrong", "é", "x" * 100_000])
def test_what_is_no_token_is_none(tokens: Tokens, token: str) -> None:
    login(tokens)

    assert tokens.check(token, NOW) is None


def test_a_digest_out_of_the_file_is_no_token(file: Path, tokens: Tokens) -> None:
    login(tokens)
    (digest,) = [row.digest for row in tokens._vault.read().tokens]

    assert digest in file.read_text()
    assert tokens.check(digest, NOW) is None


def test_a_token_outlives_the_host(file: Path, tokens: Tokens) -> None:
    bought = login(tokens)

    assert opened(file).check(bought.token, NOW + DAY) == bought.grant


def test_a_token_ends_after_thirty_days_without_use(tokens: Tokens) -> None:
    token = login(tokens).token

    assert tokens.check(token, NOW + UNUSED_LASTS) is None


def test_a_token_that_is_used_goes_on(file: Path, tokens: Tokens) -> None:
    token = login(tokens).token
    for day in range(0, 300, 20):
        assert opened(file).check(token, NOW + day * DAY) is not None


def test_that_it_is_used_is_written_down_now_and_then(file: Path, tokens: Tokens) -> None:
    token = login(tokens).token
    before = file.stat()
    for minute in range(60):
        tokens.check(token, NOW + 60 * minute)
    assert file.stat() == before

    tokens.check(token, NOW + NOTED_EVERY + 1)
    assert file.stat() != before


def test_of_too_many_tokens_the_one_that_was_used_first_goes(tokens: Tokens) -> None:
    first, *_, last = [login(tokens, NOW + number).token for number in range(MOST_TOKENS + 1)]

    assert tokens.check(first, NOW + 1000) is None
    assert tokens.check(last, NOW + 1000) is not None


# -- shares


def test_a_share_lets_look_at_one_session_as_often_as_one_likes(tokens: Tokens) -> None:
    code = tokens.share("abc123", seconds=3600, now=NOW)
    bought = [tokens.redeem(code, NOW + minute) for minute in range(50)]

    assert {(one.grant.scope, one.grant.session) for one in bought} == {("share", "abc123")}
    assert all(tokens.check(one.token, NOW) == one.grant for one in bought)


def test_a_share_ends_when_it_was_said_to(tokens: Tokens) -> None:
    code = tokens.share("abc123", seconds=3600, now=NOW)
    token = tokens.redeem(code, NOW).token

    assert tokens.check(token, NOW + 3599) is not None
    assert tokens.check(token, NOW + 3600) is None
    assert is_refused(tokens, code, NOW + 3600)


def test_a_link_that_is_opened_often_leaves_one_row(file: Path, tokens: Tokens) -> None:
    code = tokens.share("abc123", seconds=3600, now=NOW)
    before = file.stat()
    for _ in range(1000):
        tokens.redeem(code, NOW)

    assert file.stat() == before


def test_the_code_of_a_share_is_no_token(tokens: Tokens) -> None:
    code = tokens.share("abc123", seconds=3600, now=NOW)

    assert tokens.check(code, NOW) is None


def test_shares_have_a_bound(tokens: Tokens) -> None:
    for _ in range(MOST_SHARES):
        tokens.share("abc123", seconds=3600, now=NOW)

    with pytest.raises(LimitReached):
        tokens.share("abc123", seconds=3600, now=NOW)
    assert tokens.share("abc123", seconds=3600, now=NOW + 3601)  # the others have expired


# -- the end of all


def test_after_a_revocation_nobody_is_let_in(file: Path, tokens: Tokens) -> None:
    """`hold host --revoke` is another process than the host."""
    token, code = login(tokens).token, tokens.issue_code(NOW)
    share = tokens.share("abc123", seconds=3600, now=NOW)
    shared = tokens.redeem(share, NOW).token

    assert opened(file).revoke(NOW) == 3
    assert [tokens.check(one, NOW) for one in (token, shared)] == [None, None]
    assert is_refused(tokens, code)
    assert is_refused(tokens, share)


def test_who_is_connected_by_what_has_ended_is_found(file: Path, tokens: Tokens) -> None:
    page = login(tokens).grant
    share = tokens.redeem(tokens.share("abc123", seconds=60, now=NOW), NOW).grant
    ids = {page.id, share.id}

    assert tokens.living(ids, NOW) == ids
    assert tokens.living(ids, NOW + 61) == {page.id}
    opened(file).revoke(NOW)
    assert tokens.living(ids, NOW) == set()


# -- the file


def test_the_file_has_no_secret_and_is_for_its_user_alone(file: Path, tokens: Tokens) -> None:
    secrets = [tokens.issue_code(NOW), tokens.share("abc123", seconds=60, now=NOW)]
    secrets += [login(tokens).token, tokens.redeem(secrets[1], NOW).token]
    secrets += [secrets[0].replace("-", "")]

    written = [one.read_text() for one in file.parent.iterdir()]
    assert [secret for secret in secrets if any(secret in text for text in written)] == []
    assert {stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()} == {0o600}


def test_the_file_is_for_its_user_alone_whatever_the_mask(file: Path, tokens: Tokens) -> None:
    before = os.umask(0)
    try:
        login(tokens)
    finally:
        os.umask(before)

    assert {stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_file_that_others_can_reach_is_not_trusted(file: Path, tokens: Tokens, mode: int) -> None:
    token = login(tokens).token
    file.chmod(mode)

    with pytest.raises(PermissionDenied, match=file.name):
        tokens.check(token, NOW)


def test_a_file_of_somebody_else_is_not_trusted(file: Path, tokens: Tokens) -> None:
    token = login(tokens).token

    with pytest.raises(PermissionDenied):
        Tokens(file, uid=os.getuid() + 1).check(token, NOW)


def test_nothing_is_left_in_the_directory_of_somebody_else(file: Path) -> None:
    """Root could: then the one it belongs to could let nobody in any more."""
    with pytest.raises(PermissionDenied, match="belongs to user"):
        Tokens(file, uid=os.getuid() + 1).revoke(NOW)

    assert list(file.parent.iterdir()) == []


def test_a_link_to_a_file_is_not_trusted(file: Path, tokens: Tokens) -> None:
    token = login(tokens).token
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")

    with pytest.raises(PermissionDenied):
        tokens.check(token, NOW)


@pytest.mark.parametrize("content", [b"", b"{", b'{"tokens": [{}]}', b"\xff" * 99, b"[]"])
def test_a_damaged_file_lets_nobody_in_and_is_put_aside(
    file: Path, tokens: Tokens, content: bytes
) -> None:
    """T19: start, say what is lost, keep the damaged copy."""
    token = login(tokens).token
    file.write_bytes(content)

    assert tokens.check(token, NOW) is None
    assert file.with_name(f"{file.name}.damaged").read_bytes() == content
    assert login(tokens).token


def test_one_that_cannot_be_put_aside_lets_nobody_in_either(file: Path, tokens: Tokens) -> None:
    """Another host may have done so at the same moment; who may stay has to be asked on."""
    token = login(tokens)
    file.with_name(f"{file.name}.damaged").mkdir()
    file.write_bytes(b"{")

    assert tokens.check(token.token, NOW) is None
    assert tokens.living([token.grant.id], NOW) == set()
    assert login(tokens).token


def test_a_file_that_is_far_too_large_is_not_read_whole(file: Path, tokens: Tokens) -> None:
    token = login(tokens).token
    file.write_text(" " * FILE_LIMIT + file.read_text())

    assert tokens.check(token, NOW) is None
    assert file.with_name(f"{file.name}.damaged").exists()


def test_a_file_of_a_newer_version_is_read(file: Path, tokens: Tokens) -> None:
    token = login(tokens).token
    file.write_text(file.read_text().replace('{"codes"', '{"version": 9, "codes"'))

    assert tokens.check(token, NOW)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """The lock is held, as by a process that was stopped."""
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_who_holds_the_lock_for_ever_stops_no_page(file: Path, tokens: Tokens) -> None:
    token = login(tokens).token
    with locked(file):
        assert tokens.check(token, NOW + NOTED_EVERY + 1)
        with pytest.raises(IoFailed, match="holds its lock"):
            tokens.issue_code(NOW)


ISSUE = """
import os, sys
from pathlib import Path
from holdfast.host.tokens import Tokens
tokens = Tokens(Path(sys.argv[1]), uid=os.getuid())
for _ in range(20):
    print(tokens.share("abc123", seconds=3600, now=float(sys.argv[2])))
"""


def test_two_processes_that_write_at_once_lose_nothing(file: Path, tokens: Tokens) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", ISSUE, file, str(NOW)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    codes = b"".join(writer.communicate(timeout=60)[0] for writer in writers).decode().split()

    assert len({tokens.redeem(code, NOW).token for code in codes}) == 40
