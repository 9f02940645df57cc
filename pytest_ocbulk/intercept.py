"""The door for `requests`: the service's URLs, claimed in a `responses` mock.

`Claim` is one entry of such a mock: all verbs, all URLs of the service. `Interception` is a mock of our own with
that entry: other hosts pass through to whatever was there before it, or are refused by an explicit setting.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from http.client import responses as reasons
from urllib.parse import urlsplit

import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ProtocolError
from urllib3.response import HTTPResponse

from .addresses import SERVICE, Addresses
from .emulator.errors import OcBulkError, nearest
from .emulator.messages import Request, Response
from .in_process import AnswerTooLate, ConnectionReset, InProcess, body_file

OTHER_HOSTS = ("pass", "refuse")
_ANYTHING = re.compile("")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Claim(responses.BaseResponse):
    """An entry of a `responses` mock that answers for every URL of the service."""

    def __init__(self, fake: InProcess, addresses: Addresses) -> None:
        super().__init__("ANY", SERVICE)
        self._fake = fake
        self._addresses = addresses

    def matches(self, request: requests.PreparedRequest) -> tuple[bool, str]:
        """Whether a request is for the service."""
        found = self._addresses.target(str(request.url)) is not None
        return found, "" if found else "not an address of the service"

    def get_response(self, request: requests.PreparedRequest) -> HTTPResponse:
        """Let the fake answer; raises what `requests` raises when there is no answer."""
        # What `responses` remembers of the last call holds that call's whole body.
        self.calls.reset()
        target = self._addresses.target(str(request.url)) or "/"
        read = _read_timeout(getattr(request, "req_kwargs", {}).get("timeout"))
        try:
            with body_file(request.body) as body:
                asked = Request.of(str(request.method), target, request.headers, body)
                return _raw(self._fake.ask(asked, read), str(request.method))
        except ConnectionReset:
            reset = ConnectionResetError(104, "Connection reset by peer")
            raise requests.ConnectionError(
                ProtocolError("Connection aborted.", reset), request=request
            ) from None
        except AnswerTooLate:
            parts = urlsplit(str(request.url))
            port = parts.port or (443 if parts.scheme == "https" else 80)
            raise requests.ReadTimeout(
                f"{parts.scheme.upper()}ConnectionPool(host={parts.hostname!r}, port={port}): "
                f"Read timed out. (read timeout={read})",
                request=request,
            ) from None


class Refusal(responses.BaseResponse):
    """An entry that refuses what is neither the service's nor this machine's."""

    def __init__(self, addresses: Addresses) -> None:
        super().__init__("ANY", _ANYTHING)
        self._addresses = addresses

    def matches(self, request: requests.PreparedRequest) -> tuple[bool, str]:
        """Whether a request is to be refused."""
        url = str(request.url)
        refused = self._addresses.target(url) is None and urlsplit(url).hostname not in _LOOPBACK
        return refused, "passes through"

    def get_response(self, request: requests.PreparedRequest) -> HTTPResponse:
        """Refuse."""
        raise requests.ConnectionError(
            f"{request.method} {request.url}: not an address of the fake, and ocbulk.other_hosts is 'refuse'; "
            "if the call is meant, set ocbulk.other_hosts = 'pass'",
            request=request,
        )


class Interception:
    """A `responses` mock with the fake in it, from `start` to `stop`.

    Calls to other hosts go where they would go without it: to a mock that was started earlier, or to the network.
    A mock that is started later, such as a `@responses.activate` around the test, hides this one completely.
    """

    def __init__(self, fake: InProcess, addresses: Addresses) -> None:
        self._addresses = addresses
        self._mock = responses.RequestsMock(
            assert_all_requests_are_fired=False,
            passthru_prefixes=("",),
            real_adapter_send=HTTPAdapter.send,  # of this moment: it may be another mock's
        )
        self._mock.add(_OnlyClaim(fake, addresses, self._mock))
        self._refusal: Refusal | None = None

    @property
    def other_hosts(self) -> str:
        """What happens to calls to other hosts: they `pass` (the default), or are refused (`refuse`)."""
        return "refuse" if self._refusal else "pass"

    @other_hosts.setter
    def other_hosts(self, choice: str) -> None:
        if choice not in OTHER_HOSTS:
            raise OcBulkError(
                f"other_hosts is 'pass' or 'refuse', got {choice!r}{nearest(choice, OTHER_HOSTS)}"
            )
        if choice == "refuse" and self._refusal is None:
            self._refusal = Refusal(self._addresses)
            self._mock.add(self._refusal)
        elif choice == "pass" and self._refusal is not None:
            self._mock.remove(self._refusal)
            self._refusal = None

    def start(self) -> None:
        """Take over calls made through `requests`."""
        self._mock.start()

    def stop(self) -> None:
        """Give everything back as it was."""
        self._mock.stop()


class _OnlyClaim(Claim):
    """The claim in a mock of our own, whose list of calls is nobody's: it holds the last call at most."""

    def __init__(self, fake: InProcess, addresses: Addresses, mock: responses.RequestsMock) -> None:
        super().__init__(fake, addresses)
        self._mock = mock

    def get_response(self, request: requests.PreparedRequest) -> HTTPResponse:
        self._mock.calls.reset()
        return super().get_response(request)


def _read_timeout(timeout: object) -> float | None:
    """The seconds that a client waits for an answer, from any form of a timeout that `requests` takes."""
    if isinstance(timeout, tuple):
        timeout = timeout[1]
    timeout = getattr(timeout, "read_timeout", timeout)  # urllib3.Timeout
    return timeout if isinstance(timeout, int | float) else None


def _raw(answer: Response, method: str) -> HTTPResponse:
    """An answer as urllib3 hands it to `requests`, its body not yet read."""
    pieces = answer.body
    body = io.BytesIO(pieces) if isinstance(pieces, bytes) else io.BufferedReader(_Stream(pieces))
    return HTTPResponse(
        body=body,
        headers=answer.headers,
        status=answer.status,
        reason=reasons.get(answer.status),
        preload_content=False,
        request_method=method,
    )


class _Stream(io.RawIOBase):
    """Pieces of an answer as a file that can be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any writable buffer
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
