"""Who may ask for what: hosts, origins, addresses, scopes (T28)."""

import pytest

from holdfast.host.access import LOOPBACK, Access, cache_control, is_public, refusal
from holdfast.host.tokens import Grant

RULES = Access.at(LOOPBACK, 7717)
FULL = Grant(id="a", scope="full", session="", expires=0.0)
READ = Grant(id="b", scope="read", session="", expires=0.0)
SHARE = Grant(id="c", scope="share", session="abc123", expires=0.0)


# -- where from


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7717", "localhost:7717", "LOCALHOST:7717", "[::1]:7717"]
)
def test_it_is_reached_by_its_own_addresses(host: str) -> None:
    assert RULES.check_source([host], [f"http://{host}"]) is None
    assert RULES.check_source([host], []) is None  # what is no browser sends none


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:7717", "127.0.0.1", "127.0.0.1:80", "localhost:7718", "",
        "127.0.0.1:7717.evil.example", "evil.example#127.0.0.1:7717", "127.0.0.1:07717",
        "localhost.:7717", "127.1:7717", "0.0.0.0:7717", " 127.0.0.1:7717", "[::1]", "\xff",
    ],
)  # fmt: skip
def test_another_host_is_refused(host: str) -> None:
    """DNS rebinding: the name is theirs, the address ours."""
    error = RULES.check_source([host], [])

    assert error is not None
    assert (error.code, error.status) == ("PERMISSION_DENIED", 403)


@pytest.mark.parametrize(
    ("address", "host"), [("192.0.2.7", "192.0.2.7:7717"), ("2001:db8::7", "[2001:db8::7]:7717")]
)
def test_who_listens_everywhere_is_reached_at_the_address_that_was_dialled(
    address: str, host: str
) -> None:
    """A machine's own name often leads to 127.0.1.1, and says nothing of its addresses."""
    rules = Access.at(LOOPBACK, 7717, everywhere=True)

    assert rules.reached_at(address).check_source([host], [f"http://{host}"]) is None
    for wrong in ("evil.example:7717", "192.0.2.8:7717", host.replace("7717", "7718")):
        assert rules.reached_at(address).check_source([wrong], []) is not None
    assert rules.reached_at(address).check_source([host], ["http://evil.example"]) is not None
    assert rules.reached_at("").check_source([host], []) is not None
    assert RULES.reached_at(address).check_source([host], []) is not None


@pytest.mark.parametrize("host", ["me.example", "127.0.0.1:7717"])
def test_behind_a_proxy_pages_are_of_its_origin(host: str) -> None:
    """Whether or not it passes on under which name it was reached."""
    rules = Access.at(LOOPBACK, 7717, public="https://me.example")

    assert rules.check_source([host], ["https://me.example"]) is None
    assert rules.check_source([host], ["http://me.example"]) is not None
    assert rules.check_source(["you.example"], ["https://me.example"]) is not None
    assert RULES.check_source([host], ["https://me.example"]) is not None


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1:7717", "127.0.0.1:7717"]])
def test_there_is_exactly_one_host(hosts: list[str]) -> None:
    assert RULES.check_source(hosts, []) is not None


@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "https://127.0.0.1:7717", "http://127.0.0.1", "http://127.0.0.1:8000",
        "http://evil.example", "http://127.0.0.1:7717.evil.example", "http://127.0.0.1:7717/",
        "file://", "http://localhost:7717@evil.example",
    ],
)  # fmt: skip
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    """Also one on another port of the same address (T29)."""
    assert RULES.check_source(["127.0.0.1:7717"], [origin]) is not None


def test_two_origins_are_refused() -> None:
    good = "http://127.0.0.1:7717"

    assert RULES.check_source(["127.0.0.1:7717"], [good, good]) is not None


def test_with_tls_pages_are_of_https() -> None:
    rules = Access.at(["example.org"], 443, tls=True)

    assert rules.check_source(["example.org"], ["https://example.org"]) is None
    assert rules.check_source(["example.org:443"], []) is None
    assert rules.check_source(["example.org"], ["http://example.org"]) is not None


def test_what_a_peer_sent_cannot_act_in_a_message() -> None:
    error = RULES.check_source(["evil\x1b[2J\n\u202e" + "x" * 1000], [])

    assert error is not None
    assert error.what.isprintable()
    assert len(error.what) < 200


# -- what for


@pytest.mark.parametrize(
    "path", ["", "assets/index-abc.js", "licenses.txt", "socket.io/", "api/sessions/abc/output"]
)
def test_an_address_is_what_is_below_the_base(path: str) -> None:
    assert RULES.inner_path("/" + path) == path
    assert Access.at(LOOPBACK, 7717, base_path="/x/").inner_path("/x/" + path) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "x", "/..", "/../etc/passwd", "/assets/../../etc/passwd", "/assets/..", "/assets/./x",
        "//etc/passwd", "/assets//x", "/assets/..\\..\\x", "/assets/\0", "/assets/%2e%2e/x",
        "/assets/x\n", "/assets/.../x", "/C:/x", "/assets/a b", "/assets/é",
    ],
)  # fmt: skip
def test_an_address_that_leads_out_is_none(path: str) -> None:
    assert RULES.inner_path(path) is None


def test_an_address_beside_the_base_is_none() -> None:
    rules = Access.at(LOOPBACK, 7717, base_path="/x/")

    assert [rules.inner_path(path) for path in ("/", "/x", "/xy/", "/api/status")] == [None] * 4


@pytest.mark.parametrize(
    ("method", "inner", "expected"),
    [
        ("GET", "", True),
        ("HEAD", "", True),
        ("GET", "assets/x.js", True),
        ("GET", "licenses.txt", True),
        ("POST", "api/login", True),
        ("POST", "", False),
        ("GET", "api/login", False),
        ("GET", "api/status", False),
        ("GET", "api/sessions/abc123/output", False),
        ("GET", "healthz", False),
        ("GET", "metrics", False),
        ("GET", "index.html", False),
        ("OPTIONS", "", False),
    ],
)
def test_only_the_shell_and_the_login_are_public(method: str, inner: str, expected: bool) -> None:
    assert is_public(method, inner) is expected


@pytest.mark.parametrize(
    ("grant", "method", "inner", "code"),
    [
        (None, "GET", "api/status", "AUTH_FAILED"),
        (FULL, "GET", "api/status", ""),
        (FULL, "GET", "metrics", ""),
        (FULL, "POST", "api/anything", ""),
        (READ, "GET", "metrics", ""),
        (READ, "GET", "api/sessions/abc123/output", ""),
        (READ, "POST", "api/anything", "PERMISSION_DENIED"),
        (SHARE, "GET", "api/status", ""),
        (SHARE, "GET", "api/sessions/abc123/output", ""),
        (SHARE, "HEAD", "api/sessions/abc123/output", ""),
        (SHARE, "GET", "api/sessions/other1/output", "NOT_FOUND"),
        (SHARE, "GET", "api/sessions/abc123/outputs", "PERMISSION_DENIED"),
        (SHARE, "GET", "api/sessions", "PERMISSION_DENIED"),
        (SHARE, "GET", "healthz", "PERMISSION_DENIED"),
        (SHARE, "GET", "metrics", "PERMISSION_DENIED"),
        (SHARE, "POST", "api/sessions/abc123/output", "PERMISSION_DENIED"),
    ],
)
def test_a_grant_allows_its_scope(grant: Grant | None, method: str, inner: str, code: str) -> None:
    error = refusal(grant, method, inner)

    assert (error.code if error else "") == code


@pytest.mark.parametrize(
    ("inner", "status", "kept"),
    [
        ("", 200, "no-cache"),
        ("assets/x-1a2b.js", 200, "public, max-age=31536000, immutable"),
        ("assets/x-1a2b.js", 304, "public, max-age=31536000, immutable"),
        ("assets/gone.js", 404, "no-store"),
        ("api/status", 200, "no-store"),
        ("api/sessions/abc123/output", 200, "no-store"),
    ],
)
def test_what_may_be_kept_in_a_cache(inner: str, status: int, kept: str) -> None:
    assert cache_control(inner, status) == kept
