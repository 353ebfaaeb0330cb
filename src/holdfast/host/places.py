"""Where hosts keep things; apart, so that who only looks for one loads no web server."""

from pathlib import Path

from holdfast.config.paths import Paths


def token_file(paths: Paths) -> Path:
    """Return where the digests of tokens are."""
    return paths.state / "host-tokens.json"


def record_directory(paths: Paths) -> Path:
    """Return where the hosts that run are known."""
    return paths.runtime / "hosts"
