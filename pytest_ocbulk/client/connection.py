"""One call to the service: credentials on, answer or typed exception back.

Reading calls are repeated a bounded number of times, because repeating them changes nothing. Calls that change
something are made once: when their answer gets lost nobody here can know whether they were carried out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
from urllib3.util import Retry

from .breakage import ANSWERED, BROKEN, Lost, lost_by, reason_of
from .credentials import Credentials
from .errors import (
    REFUSALS,
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
    UnexpectedAnswer,
    in_doubt,
)
from .session import SessionOfOneHost
from .waiting import LONGEST_RETRY_AFTER, Timekeeper, delays, retry_after

T = TypeVar("T")

ATTEMPTS = 4
FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0

REQUEST_ID = "elements-request-id"
NEXT_PAGE = "elements-next-page-token"

CHUNK = 64 * 1024
"""Bytes of a streamed body at a time."""

Timeout = float | tuple[float, float]
TRANSIENT = (ConnectionFailed, RateLimited, Unavailable)
"""What is worth another attempt."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, read: `call` names the request for messages (`GET /bulk/12/status`)."""

    call: str
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def json(self) -> Any:
        """The body as JSON; raises `UnexpectedAnswer` if it is not JSON, with the start of what came."""
        try:
            return json.loads(self.content)
        except ValueError:
            start = self.content[:60].decode("utf-8", "replace")
            got = f"{len(self.content)} bytes starting {start!r}" if self.content else "an empty body"
        raise self._unexpected(f"expected JSON, got {got}")

    def read(self, reader: Callable[[Any], T]) -> T:
        """What `reader` makes of the JSON; its `UnexpectedAnswer` is told with the call."""
        body = self.json()
        try:
            return reader(body)
        except UnexpectedAnswer as error:
            complaint = str(error)
        raise self._unexpected(complaint)

    def _unexpected(self, complaint: str) -> UnexpectedAnswer:
        request = self.headers.get(REQUEST_ID)
        return UnexpectedAnswer(f"{self.call}: {complaint}{f' [request {request}]' if request else ''}")


class Connection:
    """Where the service is, and how calls to it are made."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        hub: str | None,
        session: requests.Session | None,
        timeout: Timeout,
        timekeeper: Timekeeper,
    ) -> None:
        self.base_url = _checked_url(base_url)
        self.credentials = credentials
        self.hub = hub
        self.time = timekeeper
        self._timeout = timeout
        self._owns_session = session is None
        self._session = session or SessionOfOneHost()

    def __repr__(self) -> str:
        return f"{self.base_url}{f', hub {self.hub}' if self.hub else ''}, {self.credentials!r}"

    def close(self) -> None:
        """Close the session if it was made here."""
        if self._owns_session:
            self._session.close()

    def get(
        self, *segments: str, params: Mapping[str, Any] | None = None, attempts: int = ATTEMPTS
    ) -> Answer:
        """A GET of JSON, repeated where that can help. Raises `Refused`, `ConnectionFailed`."""
        waits = delays(FIRST_DELAY, LONGEST_DELAY)
        for attempt in range(1, attempts + 1):
            try:
                return self._get_once(segments, params)
            except TRANSIENT as failure:
                wait = wait_for(failure, next(waits))
                if attempt == attempts or wait > LONGEST_RETRY_AFTER:
                    raise
            self.time.pause(wait)
        raise AssertionError("attempts must be at least 1")

    def _get_once(self, segments: tuple[str, ...], params: Mapping[str, Any] | None) -> Answer:
        call = _call("GET", segments)
        response, lost = self._exchange(
            "GET", segments, params=params, headers={"Accept": "application/json"}
        )
        if response is None:
            raise ConnectionFailed(f"{call} at {self.base_url}: {lost}")
        if not response.ok or response.is_redirect:
            raise self._refusal(call, response)
        return Answer(call, response.content, response.headers)

    @contextmanager
    def stream(
        self, *segments: str, params: Mapping[str, Any] | None = None, accept: str
    ) -> Iterator[Iterator[bytes]]:
        """A GET whose body is read in chunks while the context is open, made once.

        Raises `Refused`; `ConnectionFailed` when the body breaks off, at the chunk where it does.
        """
        call = _call("GET", segments)
        response, lost = self._exchange(
            "GET", segments, params=params, headers={"Accept": accept}, stream=True
        )
        if response is None:
            raise ConnectionFailed(f"{call} at {self.base_url}: {lost}")
        with response:
            if not response.ok or response.is_redirect:
                raise self._refusal(call, response)
            yield _chunks(call, response)

    def send_once(
        self,
        method: str,
        *segments: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """A call that changes something, made once.

        Raises `Refused`; `ConnectionFailed` if nothing was sent; `OutcomeUnknown` if it was and the answer got lost.
        """
        self._refuse_adapter_that_repeats(method)
        call = _call(method, segments)
        sent_headers = {"Accept": "application/json", **(headers or {})}
        response, lost = self._exchange(method, segments, params=params, headers=sent_headers, data=body)
        if response is None:
            if lost.sent:
                raise OutcomeUnknown(in_doubt(f"{call}: {lost}"))
            raise ConnectionFailed(f"{call} at {self.base_url}: {lost}; nothing was sent")
        if not response.ok or response.is_redirect:
            raise self._refusal(call, response)
        return Answer(call, response.content, response.headers)

    def _exchange(
        self, method: str, segments: tuple[str, ...], **options: Any
    ) -> tuple[requests.Response | None, Lost]:
        """The response, or None and why there is none.

        A value and not an exception: an exception raised here would carry that of requests, and with it the request
        and its headers, into every traceback. Redirects are not followed: they would carry an upload elsewhere.
        """
        try:
            response = self._session.request(
                method,
                self._url(segments),
                auth=self.credentials,
                timeout=self._timeout,
                allow_redirects=False,
                **options,
            )
        except BROKEN as error:
            return None, lost_by(error)
        return response, ANSWERED

    def _url(self, segments: tuple[str, ...]) -> str:
        hub = ("hubs", self.hub) if self.hub else ()
        return "/".join((self.base_url, *(quote(part, safe="") for part in (*hub, *segments))))

    def _refusal(self, call: str, response: requests.Response) -> Exception:
        if response.is_redirect:
            target = response.headers.get("Location", "")
            return ConfigurationError(
                f"{call} was answered {response.status_code}, a redirect to {target}; set the base URL to where"
                " the service is, redirects are not followed"
            )
        body = _vendor_error(response)
        message = body.get("message") or response.reason or "no message"
        provider = body.get("providerMessage")
        return REFUSALS.get(response.status_code, Refused)(
            call,
            response.status_code,
            self.credentials.redact(str(message)),
            provider_message=self.credentials.redact(str(provider)) if provider else None,
            request_id=body.get("requestId") or response.headers.get(REQUEST_ID),
            retry_after=retry_after(response.headers),
        )

    def _refuse_adapter_that_repeats(self, method: str) -> None:
        """A session may come with an adapter that repeats POSTs below us, unseen: one call, two jobs."""
        adapter = self._session.get_adapter(self.base_url)
        retries = getattr(adapter, "max_retries", Retry(0))
        methods = retries.allowed_methods
        if retries.total and retries.read is not False and (not methods or method in methods):
            raise ConfigurationError(
                f"the session's adapter repeats {method} by itself (Retry.allowed_methods), which can upload"
                f" twice; leave {method} out of allowed_methods"
            )


def wait_for(failure: Exception, delay: float) -> float:
    """Seconds until the next attempt: what the service asked for, if it asked, else our own delay."""
    asked = getattr(failure, "retry_after", None)
    return delay if asked is None else float(asked)


def _call(method: str, segments: tuple[str, ...]) -> str:
    return f"{method} /{'/'.join(segments)}"


def _chunks(call: str, response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(CHUNK)
    except BROKEN as error:
        failure = reason_of(error)
    else:
        return
    raise ConnectionFailed(f"{call}: the body broke off: {failure}")


def _vendor_error(response: requests.Response) -> Mapping[str, Any]:
    """The error body in the vendor's shape, empty if it is anything else (protocol.md 2.3)."""
    try:
        body = response.json()
    except (ValueError, *BROKEN):
        return {}
    return body if isinstance(body, dict) and "message" in body else {}


def _checked_url(base_url: str) -> str:
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            "base_url must be the whole address, like"
            " https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("base_url must not hold a user, a password, a query or a fragment")
    return base_url.strip().rstrip("/")
