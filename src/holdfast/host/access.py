"""Who may ask for what over HTTP: hosts, origins, addresses and scopes, and nothing that waits.

Pure. A page elsewhere can make a browser send us requests, but not with our Host and Origin;
another program can send any of these, but has no token.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from holdfast.errors import AuthFailed, HoldfastError, NotFound, PermissionDenied
from holdfast.host.tokens import Grant

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OUTPUT = re.compile(r"api/sessions/([A-Za-z0-9]{1,64})/output")
_SEGMENT = re.compile(r"[A-Za-z0-9._~@+-]+")

SECURITY_HEADERS = {
    # What xterm 6 needs, and no more: styles it writes itself, and wasm for its images.
    "content-security-policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """The rules of one host; *base_path* begins and ends with a slash."""

    hosts: frozenset[str]
    origins: frozenset[str]
    base_path: str = "/"
    everywhere: tuple[str, int] | None = None
    """Scheme and port of a host that listens at all addresses of this machine."""

    @classmethod
    def at(
        cls,
        names: Iterable[str],
        port: int,
        *,
        tls: bool = False,
        base_path: str = "/",
        everywhere: bool = False,
        public: str = "",
    ) -> "Access":
        """Return the rules of a host that is reached at these names and this port.

        One that listens *everywhere* is reached at each address of this machine as well, and one
        behind a proxy at the *public* origin of that, too.
        """
        scheme = "https" if tls else "http"
        hosts = {host for name in names for host in _hosts(scheme, name.lower(), port)}
        origins = {f"{scheme}://{host}" for host in hosts}
        if public:
            hosts.add(public.partition("://")[2])
            origins.add(public)
        return cls(
            hosts=frozenset(hosts),
            origins=frozenset(origins),
            base_path=base_path,
            everywhere=(scheme, port) if everywhere else None,
        )

    def reached_at(self, address: str) -> "Access":
        """Return the rules for a connection that came in at this address of the machine.

        A name that was rebound leads here, too, but is a name, and not the address itself.
        """
        if self.everywhere is None or not address:
            return self
        scheme, port = self.everywhere
        more = _hosts(scheme, f"[{address}]" if ":" in address else address, port)
        origins = self.origins | {f"{scheme}://{host}" for host in more}
        return replace(self, hosts=self.hosts | more, origins=origins)

    def check_source(self, hosts: list[str], origins: list[str]) -> HoldfastError | None:
        """Return why requests with these headers are refused."""
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return PermissionDenied(
                action=f"reaching this host as {_shown(hosts)}",
                remedy="open it by the address that `hold host` has printed",
            )
        if origins and (len(origins) > 1 or origins[0].lower() not in self.origins):
            return PermissionDenied(
                action=f"a request by a page of {_shown(origins)}",
                remedy="open the page by the address that `hold host` has printed",
            )
        return None

    def inner_path(self, path: str) -> str | None:
        """Return a path below the base, None for one that leads nowhere or elsewhere."""
        if not path.startswith(self.base_path):
            return None
        inner = path[len(self.base_path) :]
        segments = inner.rstrip("/").split("/") if inner else []
        if any(not _SEGMENT.fullmatch(one) or one.strip(".") == "" for one in segments):
            return None
        return inner


def _hosts(scheme: str, name: str, port: int) -> frozenset[str]:
    """Return what browsers put into a Host header: a port that is usual they leave out."""
    usual = 443 if scheme == "https" else 80
    return frozenset({f"{name}:{port}", *([name] if port == usual else [])})


def is_public(method: str, inner: str) -> bool:
    """Whether a request needs no token: the page's shell, which has no datum, and the login."""
    if method in ("GET", "HEAD"):
        # Browsers ask for that icon by themselves where a page is none of ours: there is none.
        return inner in ("", "licenses.txt", "favicon.ico") or inner.startswith("assets/")
    return method == "POST" and inner == "api/login"


def not_let_in(reason: str) -> HoldfastError:
    """Return the refusal of whoever has not shown what lets him in."""
    return AuthFailed(reason=reason).said(
        f"access refused: {reason}", "`hold host` prints an address that lets a browser in"
    )


def refusal(grant: Grant | None, method: str, inner: str) -> HoldfastError | None:
    """Return why this is refused to who has shown a token that allows *grant*."""
    if grant is None:
        return not_let_in("no token, or one that is not valid (any more)")
    if grant.scope == "full":
        return None
    if method not in ("GET", "HEAD"):
        return PermissionDenied(action="a change through a link that only looks")
    if grant.scope != "share" or inner == "api/status":
        return None
    asked = _OUTPUT.fullmatch(inner)
    if asked is None:
        return PermissionDenied(action=f"{inner} through the link to one session")
    # Whether there is another session is none of their business.
    return None if asked[1] == grant.session else NotFound(session=asked[1])


def cache_control(inner: str, status: int) -> str:
    """Return how long an answer may be kept: names of assets change with what is in them."""
    if inner.startswith("assets/") and status in (200, 206, 304):
        return "public, max-age=31536000, immutable"
    return "no-cache" if inner in ("", "licenses.txt") else "no-store"


def _shown(values: list[str]) -> str:
    """What a peer has sent, for a line of text: short, and without a character that acts."""
    return ascii(", ".join(values)[:80]) if values else "nothing"
