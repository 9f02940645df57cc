"""The door for `requests`: calls to the service's addresses are answered by the fake instead of being sent.

`Interception` replaces `HTTPAdapter.send`, the place that `responses` patches too, so that the two nest: what was
started last wins, and passes on what is not its own to what was there before. `Claim` is the same as an entry of
a `responses` mock that somebody else owns.

Retries by status are run as urllib3 runs them, but the pause between two tries moves the fake's clock: `responses`
tries again at once, which would make a client that honours `Retry-After` look as if it did not.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email.utils import mktime_tz, parsedate_tz
from http.client import responses as reasons
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, ProtocolError
from urllib3.response import HTTPResponse
from urllib3.util.request import set_file_position
from urllib3.util.retry import Retry

from .addresses import SERVICE, Addresses, is_loopback
from .emulator.errors import OcBulkError, nearest
from .emulator.messages import Request, Response
from .in_process import INSTANCE_HEADER, AnswerTooLate, ConnectionReset, InProcess, body_file

OTHER_HOSTS = ("pass", "refuse")


class Interception:
    """The fake in the place of the network, from `start` to `stop`, for the `addresses` that are its own.

    Calls to other hosts go where they would go without it: to a mock that was started earlier, or to the network.
    A mock that is started later, such as a `@responses.activate` around the test, hides this one completely.
    """

    def __init__(self, fake: InProcess, addresses: Addresses) -> None:
        self._fake = fake
        self._addresses = addresses
        self._refusing = False
        self._patch = patch.object(HTTPAdapter, "send", _sender(self))
        self._passed_on = HTTPAdapter.send

    @property
    def other_hosts(self) -> str:
        """What happens to calls to other hosts: they `pass` (the default), or are refused (`refuse`)."""
        return "refuse" if self._refusing else "pass"

    @other_hosts.setter
    def other_hosts(self, choice: str) -> None:
        if choice not in OTHER_HOSTS:
            hint = nearest(choice, OTHER_HOSTS)
            raise OcBulkError(
                f"other_hosts is 'pass' or 'refuse', got {choice!r}{hint if '?' in hint else ''}"
            )
        self._refusing = choice == "refuse"

    def start(self) -> None:
        """Take over calls made through `requests`."""
        self._passed_on = HTTPAdapter.send  # of this moment: it may be a mock's
        self._patch.start()

    def stop(self) -> None:
        """Give everything back as it was."""
        self._patch.stop()

    def send(
        self, adapter: HTTPAdapter, request: requests.PreparedRequest, timeout: Any, options: dict[str, Any]
    ) -> requests.Response:
        """What `HTTPAdapter.send` does meanwhile."""
        target = self._addresses.target(str(request.url))
        if target is not None:
            return self._answer(adapter, request, target, timeout)
        if self._addresses.lacks_tls(str(request.url)):
            raise requests.ConnectionError(
                f"{request.method} {request.url}: the service speaks https only, and a real call would send its secrets"
                " in plain text; it was not sent; use https://",
                request=request,
            )
        if self._refusing and not is_loopback(urlsplit(str(request.url)).hostname or ""):
            raise requests.ConnectionError(
                f"{request.method} {request.url}: not an address of the fake, and ocbulk.other_hosts is 'refuse'; "
                "if the call is meant, set ocbulk.other_hosts = 'pass'",
                request=request,
            )
        return self._passed_on(adapter, request, timeout=timeout, **options)

    def _answer(
        self, adapter: HTTPAdapter, request: requests.PreparedRequest, target: str, timeout: Any
    ) -> requests.Response:
        """Ask until the adapter's `Retry` is content, as `urllib3.HTTPConnectionPool.urlopen` does."""
        retries: Retry = adapter.max_retries
        method, position = str(request.method), None
        while True:
            position = set_file_position(request.body, position)  # a retry sends a file from its beginning
            raw = _ask(self._fake, request, target, timeout)
            raw.retries = retries
            if not retries.is_retry(method, raw.status, "Retry-After" in raw.headers):
                break
            try:
                # For the texts of urllib3; it connects to nothing.
                pool = adapter.poolmanager.connection_from_url(str(request.url))
                retries = retries.increment(method, request.path_url, response=raw, _pool=pool)
            except MaxRetryError as error:
                if retries.raise_on_status:
                    raise requests.exceptions.RetryError(error, request=request) from None
                break
            if number := raw.headers.get(INSTANCE_HEADER):
                self._fake.pass_time(int(number), self._pause(retries, raw, int(number)))
        answer: requests.Response = adapter.build_response(request, raw)
        return answer

    def _pause(self, retries: Retry, raw: HTTPResponse, instance: int) -> float:
        """The seconds that urllib3 would sleep now; a date in `Retry-After` is one of the fake's clock."""
        told = raw.headers.get("Retry-After")
        if told is None or not retries.respect_retry_after_header:
            return retries.get_backoff_time()
        date = None if told.strip().isdigit() else parsedate_tz(told)
        if date is None:
            return retries.parse_retry_after(told)
        return max(0.0, mktime_tz(date) - self._fake.now(instance))


def _sender(interception: Interception) -> Any:
    """A function with the signature of `HTTPAdapter.send`, a method of whatever adapter is asked."""

    def send(
        adapter: HTTPAdapter,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        options = {"stream": stream, "verify": verify, "cert": cert, "proxies": proxies}
        return interception.send(adapter, request, timeout, options)

    return send


class Claim(responses.BaseResponse):
    """An entry of a `responses` mock that answers for every URL of the service."""

    def __init__(self, fake: InProcess, addresses: Addresses) -> None:
        super().__init__("ANY", re.compile(SERVICE))
        self._fake = fake
        self._addresses = addresses

    def matches(self, request: requests.PreparedRequest) -> tuple[bool, str]:
        """Whether a request is for the service."""
        found = self._addresses.target(str(request.url)) is not None
        return found, "" if found else "not an address of the service"

    def get_response(self, request: requests.PreparedRequest) -> HTTPResponse:
        """Let the fake answer; raises what `requests` raises when there is no answer."""
        self.calls.reset()  # the last call, which `responses` keeps here too, holds a whole body
        target = self._addresses.target(str(request.url)) or "/"
        return _ask(self._fake, request, target, getattr(request, "req_kwargs", {}).get("timeout"))


def install(mock: responses.RequestsMock | ModuleType, fake: InProcess, addresses: Addresses) -> None:
    """Put the fake into a mock, or into that of the module `responses`; raises `OcBulkError` for anything else."""
    if not isinstance(mock, responses.RequestsMock) and mock is not responses:
        raise OcBulkError(
            f"install_into() takes a mock of the library responses, such as responses.mock, got {mock!r}"
        )
    mock.add(Claim(fake, addresses))


def _ask(fake: InProcess, request: requests.PreparedRequest, target: str, timeout: Any) -> HTTPResponse:
    """The fake's answer; raises what `requests` raises when there is none, or none in time."""
    read = _read_timeout(timeout)
    try:
        with body_file(request.body) as body:
            asked = Request.of(str(request.method), target, request.headers, body)
            return _raw(fake.ask(asked, read), str(request.method))
    except ConnectionReset:
        reset = ConnectionResetError(104, "Connection reset by peer")
        raise requests.ConnectionError(ProtocolError("Connection aborted.", reset), request=request) from None
    except AnswerTooLate:
        parts = urlsplit(str(request.url))
        port = parts.port or (443 if parts.scheme == "https" else 80)
        raise requests.ReadTimeout(
            f"{parts.scheme.upper()}ConnectionPool(host={parts.hostname!r}, port={port}): "
            f"Read timed out. (read timeout={read})",
            request=request,
        ) from None


def _read_timeout(timeout: Any) -> float | None:
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
