"""Where the service lives, and what is this machine: hosts that are the fake's, base URLs under which it is called.

A door that sees whole URLs asks an `Addresses` which of them are the service's, and gets the target as the core
expects it: `/elements/api-v2/...`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .emulator.errors import OcBulkError
from .emulator.messages import BASE_PATH

DEFAULT_BASE_URL = f"https://api.openconnectors.us2.ext.hana.ondemand.com{BASE_PATH}"
"""The base URL of SAP's page on Microsoft SQL Server Bulk (protocol.md 1)."""

SERVICE = re.compile(
    r"https://(?:"
    r"api\.openconnectors(?:\.[a-z0-9-]+)+\.ext\.hana\.ondemand\.com"
    r"|(?:api|console|staging|qa|snapshot)\.cloud-elements\.com"
    r"|api\.cloud-elements\.co\.uk"
    r")(?::443)?"
)
"""The origins of the real service, production, trial and staging (protocol.md 1)."""


def base_url(text: str) -> str:
    """A base URL as a test names it, without a slash at its end; raises `OcBulkError` for anything else.

    It has no user and no password: those would be printed wherever it is, and `requests` would send them instead of
    the service's own authorization.
    """
    try:
        parts = urlsplit(text)
    except ValueError:  # such as a bracket that is not closed
        parts = urlsplit("")
    if "@" in parts.netloc:
        shown = text.replace(parts.netloc, f"***@{parts.netloc.rpartition('@')[2]}")
        raise OcBulkError(f"a base URL holds no user and no password, got {shown!r}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise OcBulkError(f"a base URL looks like {DEFAULT_BASE_URL}, got {text!r}")
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a name or address, in lower case, is this machine's own."""
    # These names are never anybody else's (RFC 6761, 6.3).
    if host in ("localhost", "127.0.0.1") or host.endswith(".localhost"):
        return True
    import ipaddress  # not for the addresses that nearly all have

    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class Addresses:
    """The URLs that are the fake's: those of the service, and those below any of `bases`."""

    bases: tuple[str, ...] = ()
    _service: dict[str, bool] = field(default_factory=dict)

    def target(self, url: str) -> str | None:
        """The part of `url` that the core reads (`/elements/api-v2/objects?x=1`), None if it is another's.

        What follows a configured base URL is put below `/elements/api-v2`, whatever the base's own path is.
        """
        for base in self.bases:
            if url.startswith(base) and url[len(base) : len(base) + 1] in ("", "/", "?"):
                return BASE_PATH + url[len(base) :]
        start = url.find("/", 8)
        origin, rest = (url, "/") if start < 0 else (url[:start], url[start:])
        return rest if self._is_service(origin) else None

    def lacks_tls(self, url: str) -> bool:
        """Whether `url` is an address of the service but for its `http://`; the service speaks https only."""
        plain, separator, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        return (
            plain.lower() == "http"
            and bool(separator)
            and self.target(f"https://{host.removesuffix(':80')}{slash}{path}") is not None
        )

    def _is_service(self, origin: str) -> bool:
        known = self._service.get(origin)
        if known is None:
            known = self._service[origin] = SERVICE.fullmatch(origin.lower()) is not None
        return known
