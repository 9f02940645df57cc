"""Posts the callbacks that are due, and tells the core what came of each.

    deliverer = Deliverer(emulator)
    deliverer.deliver_due()        # now, in this thread: tests, in-process doors
    Server(emulator, on_wake=deliverer.wake)        # in a thread of its own, started when there is something to post

Callbacks go to this machine only, unless a host is allowed; redirects are not followed, proxies not used.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from .addresses import is_loopback
from .emulator.callbacks import Attempt, Callback, Outcome
from .emulator.emulator import Emulator
from .emulator.errors import OcBulkError

if TYPE_CHECKING:
    from requests import PreparedRequest

log = logging.getLogger("pytest_ocbulk.delivery")

ANY_HOST = "*"

_LONGEST = 3600.0
"""Seconds until the thread looks again at the latest."""
_SHORTEST = 0.01
"""Seconds until it looks again at the earliest: the clock of an instance may stand still."""
_GRACE = 1.0
"""Seconds that `stop` waits for a post that is under way."""
_HOST = re.compile(r"[^/@\[\]\s:]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
_CLOSED = "the receiver closed the connection without an answer"


class Posted(NamedTuple):
    """What came of one try; as in `Attempt`."""

    outcome: Outcome
    status: int = 0
    failure: str = ""


class Deliverer:
    """Posts the callbacks of an emulator.

    `allowed_hosts` are hosts beside this machine's own that may be posted to, `"*"` for all; `timeout` is how many
    seconds an answer is waited for. `retry_scale` multiplies the waits between the tries, which are those of the
    service: 4 s, 16 s, 64 s ... 73 h. `to_allow` is how a `{host}` is allowed, for a refusal.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        allowed_hosts: Iterable[str] = (),
        timeout: float = 5.0,
        retry_scale: float = 1.0,
        to_allow: str = "",
    ) -> None:
        self._to_allow = to_allow
        self.allowed_hosts = frozenset(map(checked_host, allowed_hosts))
        self.timeout = timeout
        self.retry_scale = retry_scale
        self._emulator = emulator
        self._delivering = threading.Lock()
        self._starting = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopping = False

    # -- now --------------------------------------------------------------------------------------------

    def deliver_due(self, *, wait: bool = False) -> list[Attempt]:
        """Post what is due, in this thread; return what came of it.

        While another thread is at it, that one delivers all: nothing is done here (a receiver may call the fake, which
        calls this), unless told to `wait` for it.
        """
        if not self._delivering.acquire(blocking=wait):
            return []
        try:
            tried = []
            self._emulator.tick()
            while due := self._emulator.take_callbacks():
                tried += [attempt for each in due if (attempt := self._deliver(each)) is not None]
            return tried
        finally:
            self._delivering.release()

    def _deliver(self, callback: Callback) -> Attempt | None:
        posted = self.post(callback)
        attempt = self._emulator.callback_tried(
            callback,
            posted.outcome,
            status=posted.status,
            failure=posted.failure,
            retry_scale=self.retry_scale,
        )
        if posted.failure:
            log.warning("%s", attempt or f"callback of job {callback.job}: {posted.failure}")
        return attempt

    def post(self, callback: Callback) -> Posted:
        """Try once; whatever is wrong with the URL or behind it becomes text, nothing is raised."""
        url = absolute(callback.url)
        if url is None:
            return Posted(
                "internal", failure="a relative path is executed by the service itself; nothing was posted"
            )
        import requests

        try:
            request = requests.Request(
                "POST", url, headers=dict(callback.headers), data=callback.body
            ).prepare()
        except (requests.RequestException, ValueError):
            return Posted("refused", failure=f"expected an http or https URL, got {callback.url!r}")
        if (refusal := self._refusal(request)) is not None:
            return Posted("refused", failure=refusal)
        return self._send(request)

    def _refusal(self, request: PreparedRequest) -> str | None:
        """Why a request must not be sent. Judged by the parser that also connects: others read odd URLs differently."""
        from urllib3.exceptions import LocationParseError
        from urllib3.util import parse_url

        try:
            parts = parse_url(request.url or "")
        except LocationParseError:
            return f"expected an http or https URL, got {request.url!r}"
        host = (parts.host or "").strip("[]").lower()
        if parts.scheme not in ("http", "https") or not host or parts.auth:
            return f"expected an http or https URL without a user, got {request.url!r}"
        if is_loopback(host) or host in self.allowed_hosts or ANY_HOST in self.allowed_hosts:
            return None
        advice = f"; to allow it: {self._to_allow.format(host=host)}" if self._to_allow else ""
        return f"callbacks go to this machine only, and {host} is not among the allowed hosts{advice}"

    def _send(self, request: PreparedRequest) -> Posted:
        import requests

        try:
            with requests.Session() as session:
                session.trust_env = (
                    False  # a proxy from the environment would see what is meant for this machine
                )
                answer = session.send(request, timeout=self.timeout, allow_redirects=False, stream=True)
                answer.close()
        except requests.Timeout:
            return Posted("failed", failure=f"no answer within {self.timeout:g} s")
        except (requests.RequestException, OSError, ValueError) as error:
            return Posted("failed", failure=_reason(error))
        status = answer.status_code
        if 200 <= status < 300:
            return Posted("delivered", status)
        hint = "; redirects are not followed" if 300 <= status < 400 else ""
        return Posted("failed", status, f"the receiver answered {status}{hint}")

    # -- in a thread ------------------------------------------------------------------------------------

    def wake(self) -> None:
        """See whether something is to be posted, soon and in another thread. From any thread, at no cost."""
        if not self._emulator.has_callbacks or self._stopping:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ocbulk-callbacks", daemon=True)
                self._thread.start()
        self._woken.set()

    def stop(self) -> None:
        """End the thread; what is not posted stays in the emulator."""
        self._stopping = True
        self._woken.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_GRACE)

    def __enter__(self) -> Deliverer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping:
            wait = None
            try:
                self.deliver_due(wait=True)
                wait = self._emulator.next_callback()
            except Exception:
                log.exception("callbacks could not be delivered")
            self._woken.wait(_LONGEST if wait is None else min(max(wait, _SHORTEST), _LONGEST))
            self._woken.clear()


def checked_host(host: object) -> str:
    """A host that callbacks may go to, in lower case; raises `OcBulkError` for what is none, such as a URL."""
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        raise OcBulkError(
            f"callbacks are allowed to hosts, like 'hook.example' or '10.0.0.1', or to '*', not to URLs and ports;"
            f" got {host!r}"
        )
    return host.lower()


def absolute(url: str) -> str | None:
    """The URL to post to; None for a path, which the service executes itself (protocol.md 7).

    A host without a scheme is understood as http, which no source tells.
    """
    if "://" in url.split("?", 1)[0]:
        return url
    first = url.removeprefix("//").split("/", 1)[0].split("?", 1)[0]
    is_host = url.startswith("//") or "." in first or ":" in first or first.lower() == "localhost"
    return f"http://{url.removeprefix('//')}" if is_host and first else None


def _reason(error: BaseException) -> str:
    """What went wrong, in words; it lies below several layers, the lowest knows best."""
    from http.client import HTTPException

    for cause in _causes(error):
        if isinstance(cause, ConnectionResetError):
            return _CLOSED
        if isinstance(cause, HTTPException):
            return "the receiver's answer is not HTTP"
        if isinstance(cause, ConnectionRefusedError):
            return f"could not connect: {cause.strerror}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return f"{type(error).__name__}: {error}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what lies below it, outermost first."""
    found: BaseException | None = error
    seen = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        inner = getattr(found, "reason", None) or (found.args[0] if found.args else None)
        found = found.__cause__ or found.__context__ or (inner if isinstance(inner, BaseException) else None)
