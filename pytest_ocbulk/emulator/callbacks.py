"""Notifications of the end of a job: what is posted, how it is signed, when it is tried again (protocol.md 7).

    Callback      one notification, ready to be posted
    Outbox        those that wait for their time
    Attempt       one try, and what came of it
    CallbackLog   the tries of an instance

The core only says what is due; `delivery.py` posts it and reports back.
"""

from __future__ import annotations

import base64
import hmac
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

from .oldest_first import OldestFirst

SIGNATURE_KEY = "event.notification.signature.key"
SIGNATURE_HEADER = "Elements-Webhook-Signature"
MAX_RETRIES = 9
"""Up to nine retries after 2^(2x) seconds: 4, 16, 64 ... as for the service's events."""

CAPACITY = 1000
"""Attempts kept per instance; the oldest go first."""


class Callback(NamedTuple):
    """One notification: `body` and `headers` to post to `url` from the instant `due` on.

    `attempts` counts the tries so far. `failure` says why the last one failed, empty if none did. `fault` is the
    planned fault that it carries, if any; one that is `held` waits for the next callback of its instance. `number`
    is its own among all that are owed.
    """

    instance_id: int
    job: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    due: float
    attempts: int = 0
    failure: str = ""
    fault: str = ""
    held: bool = False
    number: int = 0

    def again(self, now: float, failure: str, scale: float = 1.0) -> Callback | None:
        """The next try after a failed one, its wait multiplied by `scale`; None when all are used up."""
        attempts = self.attempts + 1
        if attempts > MAX_RETRIES:
            return None
        return self._replace(attempts=attempts, due=now + scale * 4.0**attempts, failure=failure)


class Debts(Protocol):
    """Who is told what is owed, so that it is not forgotten when the process ends."""

    def owes(self, callback: Callback) -> None:
        """A callback is to be posted, or to be tried again."""
        ...

    def settled(self, callback: Callback) -> None:
        """A callback was delivered or given up."""
        ...


class Outbox:
    """Callbacks that wait for their time. Those taken are owed until they are `settled`, or put back by `again`."""

    def __init__(self, debts: Debts) -> None:
        self._waiting: list[Callback] = []
        self._debts = debts
        self._number = 0

    def __iter__(self) -> Iterator[Callback]:
        return iter(tuple(self._waiting))

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def add(self, callback: Callback) -> None:
        """Put a callback in; those held back for it follow it, the youngest first."""
        self._put(callback)
        if callback.held:
            return
        released = [each for each in self._waiting if each.held and each.instance_id == callback.instance_id]
        self._waiting = [each for each in self._waiting if each not in released]
        for each in reversed(released):
            self._debts.settled(each)  # under its old number, which stands before that of the one it follows
            self._put(each._replace(held=False, due=callback.due))

    def _put(self, callback: Callback) -> None:
        self._number += 1
        self.again(callback._replace(number=self._number))

    def again(self, callback: Callback) -> None:
        """Put a callback back for its next try."""
        self._waiting.append(callback)
        self._debts.owes(callback)

    def settled(self, callback: Callback) -> None:
        """A callback was delivered or given up."""
        self._debts.settled(callback)

    def tried(
        self, callback: Callback, now: float, outcome: Outcome, status: int, failure: str, retry_scale: float
    ) -> Attempt:
        """What came of posting a callback at the instant `now`; a failed one is put back while tries are left."""
        following = callback.again(now, failure, retry_scale) if outcome == "failed" else None
        if following is not None:
            self.again(following)
        else:
            self.settled(callback)
        return Attempt(
            at=now,
            job=callback.job,
            url=callback.url,
            body=callback.body,
            headers=callback.headers,
            number=callback.attempts + 1,
            outcome=outcome,
            status=status,
            failure=failure,
            next_try=None if following is None else following.due,
            fault=callback.fault,
        )

    def restore(self, callback: Callback) -> None:
        """Put a callback back that an earlier process owed."""
        self._number = max(self._number, callback.number)
        self._waiting.append(callback)

    def take(self, now_of: Callable[[int], float]) -> list[Callback]:
        """Take those that are due, in the order of their instants; `now_of` tells the time of an instance."""
        due = [each for each in self._waiting if not each.held and each.due <= now_of(each.instance_id)]
        if due:
            self._waiting = [each for each in self._waiting if not any(each is taken for taken in due)]
        return sorted(due, key=lambda each: each.due)

    def next_due(self, now_of: Callable[[int], float]) -> float | None:
        """Seconds until the next one is due, None if none is; below 0 when it is overdue."""
        return min((each.due - now_of(each.instance_id) for each in self if not each.held), default=None)

    def forget(self, instance_id: int) -> None:
        """Drop the callbacks of an instance."""
        self._waiting = [each for each in self._waiting if each.instance_id != instance_id]


Outcome = Literal["delivered", "failed", "refused", "internal", "dropped"]


class Attempt(NamedTuple):
    """One try to post a callback.

    `outcome` is `delivered` (a 2xx came), `failed` (`failure` says why; `next_try` is the instant of the next one,
    None when all are used up), `refused` (the host is not allowed, or the URL is none), `internal` (a relative
    path, which the service executes itself) or `dropped` (by a planned fault). `number` counts the tries from
    1, `status` is 0 when no answer came, `at` is in seconds since 1970-01-01 UTC by the instance's clock.
    """

    at: float
    job: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    number: int
    outcome: Outcome
    status: int = 0
    failure: str = ""
    next_try: float | None = None
    fault: str = ""

    def __str__(self) -> str:
        shown = f"callback of job {self.job} to {self.url}: {self.outcome}"
        return shown + (f", {self.failure}" if self.failure else "")


class CallbackLog(OldestFirst[Attempt]):
    """The last attempts of an instance, oldest first."""

    def __init__(self) -> None:
        self._attempts: deque[Attempt] = deque(maxlen=CAPACITY)

    def _copy(self) -> tuple[Attempt, ...]:
        return tuple(self._attempts)

    def add(self, attempt: Attempt) -> None:
        """Write one attempt down."""
        self._attempts.append(attempt)

    def of(self, job: str) -> tuple[Attempt, ...]:
        """The attempts for one job."""
        return tuple(each for each in self if each.job == job)

    @property
    def undelivered(self) -> tuple[Attempt, ...]:
        """The last attempts of callbacks that were neither delivered nor will be tried again."""
        return tuple(each for each in self if each.outcome != "delivered" and each.next_try is None)

    def clear(self) -> None:
        """Forget all attempts."""
        self._attempts.clear()


def sign(key: str, body: bytes) -> str:
    """The value of `Elements-Webhook-Signature`: `sha256=` and Base64 of HMAC-SHA256 over the raw body."""
    return "sha256=" + base64.b64encode(hmac.digest(key.encode(), body, "sha256")).decode()


def verify(key: str, body: bytes, signature: str) -> bool:
    """Whether a signature belongs to these raw bytes; compared in constant time."""
    return hmac.compare_digest(sign(key, body).encode(), signature.encode(errors="surrogatepass"))
