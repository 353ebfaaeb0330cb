"""Who may use the host: one-time codes, bearer tokens and shares, all kept hashed in one file.

A login code buys a token, once. A share's code may be used until it expires; what it buys is
derived from it, so a link that is opened a thousand times leaves one row. `hold share` and
`hold host --revoke` are other processes: every change is made under a lock and replaces the
file whole (`vault.py`), and whoever asks looks first whether it was changed.

Times are seconds of the wall clock: they have to outlive a restart. Secrets are compared as
digests, in constant time, with every row.
"""

import base64
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from holdfast.errors import AuthFailed, IoFailed, LimitReached
from holdfast.host.vault import Book, CodeRow, ShareRow, TokenRow, Vault

logger = logging.getLogger(__name__)

CODE_LASTS = 300.0
UNUSED_LASTS = 30 * 86400.0
NOTED_EVERY = 6 * 3600.0  # seconds; that a token is used is not written down at each request
MOST_CODES, MOST_TOKENS, MOST_SHARES = 32, 256, 256

# No letters that are read for another: a code may be typed from one screen to another. 60
# bits for five minutes and a few tries; what lasts longer has 128 and more.
CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
CODE_LENGTH = 12
_NOT_IN_CODES = re.compile(r"[\s-]+")
_Row = TypeVar("_Row", CodeRow, TokenRow, ShareRow)


class Grant(Struct, frozen=True):
    """What a token that was shown allows."""

    id: str
    """Names it where it may be seen: logs, lists."""
    scope: str
    """full, read, or share: one session, and only to look."""
    session: str
    expires: float


class Login(Struct, frozen=True):
    """What a code has bought."""

    token: str
    grant: Grant


class Tokens:
    """The codes, tokens and shares of one user."""

    def __init__(self, file: Path, *, uid: int) -> None:
        self._vault = Vault(file, uid=uid)

    # -- what is given out

    def issue_code(self, now: float, *, scope: str = "full") -> str:
        """Return a code that lets one page in, within five minutes."""
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        row = CodeRow(digest=_digest(code), scope=scope, expires=now + CODE_LASTS)

        def add(book: Book) -> None:
            book.codes = [*book.codes[-MOST_CODES + 1 :], row]

        self._change(now, add)
        return "-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4))

    def share(self, session: str, *, seconds: float, now: float) -> str:
        """Return a code by which anybody may look at *session* until it expires."""
        code = secrets.token_urlsafe(24)
        row = ShareRow(
            id=secrets.token_hex(4),
            code=_digest(code),
            token=_digest(_derived(code)),
            session=session,
            expires=now + seconds,
        )

        def add(book: Book) -> None:
            if len(book.shares) >= MOST_SHARES:
                raise LimitReached(
                    resource="shares",
                    limit=MOST_SHARES,
                    remedy="wait until some expire; `hold host --revoke` ends them all",
                )
            book.shares.append(row)

        self._change(now, add)
        return code

    def redeem(self, code: str, now: float) -> Login:
        """Return the token that a code buys; raise AuthFailed if it buys none.

        Takes the lock and writes to the disk: not for an event loop.
        """
        share = _matching(self._vault.read().shares, "code", code.strip())
        if share is not None and now < share.expires:
            return Login(_derived(code.strip()), _share_grant(share))
        wanted = _NOT_IN_CODES.sub("", code).lower()
        token = secrets.token_urlsafe(32)
        bought: list[TokenRow] = []

        def spend(book: Book) -> None:
            row = _matching(book.codes, "digest", wanted)
            if row is not None:
                book.codes.remove(row)
                bought.append(_new_token(token, row.scope, now))
                kept = sorted(book.tokens, key=lambda row: row.used)[-MOST_TOKENS + 1 :]
                book.tokens = [*kept, *bought]

        if _matching(self._vault.read().codes, "digest", wanted) is not None:
            self._change(now, spend)
        if not bought:
            reason = "the code is wrong, used, or older than five minutes"
            raise AuthFailed(reason=reason).said(
                f"access refused: {reason}", "`hold host`, started again, prints another"
            )
        return Login(token, _token_grant(bought[0]))

    def is_waiting(self, code: str, now: float) -> bool:
        """Return whether a login code could still be used."""
        row = _matching(self._vault.read().codes, "digest", _NOT_IN_CODES.sub("", code).lower())
        return row is not None and now < row.expires

    def revoke(self, now: float) -> int:
        """End every code, token and share; returns how many could still be used."""
        ended: list[int] = []

        def clear(book: Book) -> None:
            ended.append(len(book.codes) + len(book.tokens) + len(book.shares))
            book.codes, book.tokens, book.shares = [], [], []

        self._change(now, clear)
        return ended[0]

    # -- what is asked

    def check(self, token: str, now: float) -> Grant | None:
        """Return what a token allows, None if it is none (any more)."""
        book = self._vault.read()
        row = _matching(book.tokens, "digest", token)
        if row is not None and now < row.used + UNUSED_LASTS:
            if now - row.used > NOTED_EVERY:
                self._note_use(row.id, now)
            return _token_grant(row)
        share = _matching(book.shares, "token", token)
        if share is not None and now < share.expires:
            return _share_grant(share)
        return None

    def living(self, ids: Iterable[str], now: float) -> set[str]:
        """Return which of these grants hold still: who is connected by another is to go."""
        book = self._vault.read()
        tokens = {row.id for row in book.tokens if now < row.used + UNUSED_LASTS}
        shares = {row.id for row in book.shares if now < row.expires}
        return set(ids) & (tokens | shares)

    # -- inside

    def _note_use(self, id_: str, now: float) -> None:
        def note(book: Book) -> None:
            for row in book.tokens:
                if row.id == id_:
                    row.used = now

        # Whoever holds the lock may be stopped, and the disk may be full: the next use is
        # written down as well, and no page has to wait for that.
        try:
            self._change(now, note, patience=0.0, must=False)
        except IoFailed as error:
            logger.debug("the use of token %s is not written down: %s", id_, error.what)

    def _change(
        self,
        now: float,
        change: Callable[[Book], None],
        *,
        patience: float = 2.0,
        must: bool = True,
    ) -> None:
        def tidied(book: Book) -> None:
            book.codes = [row for row in book.codes if now < row.expires]
            book.tokens = [row for row in book.tokens if now < row.used + UNUSED_LASTS]
            book.shares = [row for row in book.shares if now < row.expires]
            change(book)

        self._vault.change(tidied, patience=patience, must=must)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _derived(code: str) -> str:
    """Return the token of a share; it says nothing about the code."""
    digest = hashlib.sha256(b"holdfast share\0" + code.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _matching(rows: list[_Row], field: str, secret: str) -> _Row | None:
    """Return the row with this secret, having looked at all of them."""
    wanted, found = _digest(secret), None
    for row in rows:
        if hmac.compare_digest(getattr(row, field), wanted):
            found = row
    return found


def _new_token(token: str, scope: str, now: float) -> TokenRow:
    return TokenRow(
        id=secrets.token_hex(4), digest=_digest(token), scope=scope, created=now, used=now
    )


def _token_grant(row: TokenRow) -> Grant:
    return Grant(id=row.id, scope=row.scope, session="", expires=row.used + UNUSED_LASTS)


def _share_grant(row: ShareRow) -> Grant:
    return Grant(id=row.id, scope="share", session=row.session, expires=row.expires)
