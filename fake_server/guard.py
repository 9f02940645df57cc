"""Who may use the control API: tools on this machine, pages that it served itself, and whoever has the token.

A web page must not be able to reset a developer's fake. It could try in three ways, and each has its rule:

    a name of its own that resolves to 127.0.0.1     the Host must be a loopback name (DNS rebinding)
    a form or a script on its own page               the Origin, if there is one, must be the server's own
    an image, a link, a script tag                   Sec-Fetch-Site, if there is one, must not be another site

Where the server listens beyond this machine every call needs the control token, which no page knows.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_ocbulk.addresses import is_loopback
from pytest_ocbulk.emulator.messages import Request

TOKEN_OPTION = "--control-token"


class Refusal(NamedTuple):
    """Why a call is not answered: 401 or 403, and the text of the answer."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Guard:
    """`host` is the address the server listens on, `token` the control token, if one was set."""

    host: str = "127.0.0.1"
    token: str | None = field(default=None, repr=False)

    def refusal(self, request: Request) -> Refusal | None:
        """Why this call must not be answered; None: it may."""
        return self._wrong_host(request) or self._wrong_origin(request) or self._wrong_token(request)

    def _wrong_host(self, request: Request) -> Refusal | None:
        host = request.header("host")
        if is_loopback(self.host) and not is_loopback(host_name(host)):
            return Refusal(
                403,
                f"Expected a Host of this machine (localhost, 127.0.0.1, [::1]), got {host!r}: a web page may"
                " have given its own name the address of this machine. Call http://127.0.0.1 instead.",
            )
        return None

    def _wrong_origin(self, request: Request) -> Refusal | None:
        origin, own = request.header("origin"), request.header("host")
        if origin and origin not in (f"http://{own}", f"https://{own}"):
            return Refusal(
                403,
                f"Expected no Origin, or the server's own, got {origin!r}: pages of other sites may not control"
                " the fake. Use a tool such as curl, or a page that this server serves.",
            )
        site = request.header("sec-fetch-site")
        if site not in ("", "none", "same-origin"):
            return Refusal(
                403,
                f"Expected a call of the server's own page, got Sec-Fetch-Site {site!r}: pages of other sites"
                " may not control the fake. Open the address in a tab of its own.",
            )
        return None

    def _wrong_token(self, request: Request) -> Refusal | None:
        if is_loopback(self.host) and self.token is None:
            return None
        if self.token is None:
            return Refusal(
                403,
                f"The server listens on {self.host}, which other machines reach, and has no control token."
                f" Start it with {TOKEN_OPTION}, or on 127.0.0.1.",
            )
        given = request.header("authorization")
        scheme, _, secret = given.partition(" ")  # the scheme in any case (RFC 9110, 11.1)
        secret = secret.strip() if scheme.lower() == "bearer" else ""
        right = hmac.compare_digest(secret.encode(errors="surrogatepass"), self.token.encode())
        if not (secret and right):
            came = "none" if not given else "another"
            return Refusal(
                401,
                f"Expected the control token, got {came}. Send 'Authorization: Bearer <token>' with the token"
                f" that the server was started with ({TOKEN_OPTION}).",
            )
        return None


ON_THIS_MACHINE = Guard()
"""Lets in whoever is on this machine."""


def host_name(header: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if name.count(":") == 1 else name
