"""A host with a certificate of one's own, from the page to a shared link."""

import datetime as dt
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser

from tests.support.browsing import Tab, bash
from tests.support.home import Home
from tests.support.hosting import running_host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_page_behind_a_certificate_of_ones_own(
    home: Home, browser: Browser, tmp_path: Path
) -> None:
    cert, key = _certificate(tmp_path)
    tls = ["--tls-cert", str(cert), "--tls-key", str(key)]
    with running_host(home, *tls, *bash(tmp_path), logged_in=False) as host:
        assert host.url.startswith("https://127.0.0.1:")
        context = browser.new_context(ignore_https_errors=True)
        tab = Tab(context)
        tab.open(host.link)
        tab.shows("$")
        tab.type("echo behind tls\n")
        tab.shows("\nbehind tls")
        session = tab.page.evaluate("sessionStorage['holdfast.chosen']")
        link = home.hold("share", session).strip()
        assert link.startswith(host.url)
        guest = Tab(browser.new_context(ignore_https_errors=True))
        guest.open(link)
        guest.shows("\nbehind tls")
        assert tab.complaints + guest.complaints == []


def _certificate(directory: Path) -> tuple[Path, Path]:
    """Return a certificate for this machine that nobody but us has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "holdfast")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = directory / "cert.pem", directory / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
