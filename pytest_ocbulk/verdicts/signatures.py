"""Does a receiver of callbacks check who sent them? It is sent good ones and bad ones, and its answers are judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from ..delivery import Deliverer
from ..emulator.callbacks import SIGNATURE_HEADER, SIGNATURE_KEY, Callback, sign
from ..emulator.endpoints.bulk import status_body
from ..emulator.errors import OcBulkError
from ..emulator.messages import JSON
from ..evidence import Evidence
from ..headers import Headers

Receive = Callable[[bytes, Mapping[str, str]], int]
"""A receiver that is called instead of posted to: takes body and headers, gives the status it answers."""

_CONTENT_TYPE = {"Content-Type": JSON}


def assert_signature_checked(
    evidence: Evidence, receiver: str | Receive, *, key: str | None = None, body: bytes | None = None
) -> None:
    """Fail if a receiver takes callbacks that are badly signed; see `OcBulk.assert_signature_checked`."""
    __tracebackhide__ = True
    key = key or evidence.instance.configuration.get(SIGNATURE_KEY)
    if not key:
        raise OcBulkError(
            "assert_signature_checked() needs the key that callbacks are signed with:"
            f" ocbulk.configuration[{SIGNATURE_KEY!r}] = 'secret', or key='secret'"
        )
    body = _body(evidence) if body is None else body
    receive = _posted_to(evidence, receiver) if isinstance(receiver, str) else _called(receiver)
    status = receive(body, _signed(key, body))
    if not 200 <= status < 300:
        raise AssertionError(
            f"expected the receiver to accept a well signed callback, it answered {status}; the signature is"
            f" Base64(HMAC-SHA256(key, raw body)) behind 'sha256=' in {SIGNATURE_HEADER}"
        )
    taken = [
        f"{status} to one {how}"
        for how, sent, headers in _badly_signed(key, body)
        if not 400 <= (status := receive(sent, headers)) < 500
    ]
    if taken:
        raise AssertionError(
            f"expected the receiver to refuse badly signed callbacks with 4xx, it answered {', '.join(taken)};"
            f" before the body is read, compare {SIGNATURE_HEADER} with 'sha256=' + Base64(HMAC-SHA256(key, raw body))"
        )


def _badly_signed(key: str, body: bytes) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Callbacks that only their signature betrays: how, the body, the headers."""
    good = sign(key, body)
    yield "without a signature", body, _CONTENT_TYPE
    yield "signed with another key", body, _signed(f"not {key}", body)
    yield "changed after it was signed", body + b" ", _CONTENT_TYPE | {SIGNATURE_HEADER: good}
    yield "with half a signature", body, _CONTENT_TYPE | {SIGNATURE_HEADER: good[: len(good) // 2]}


def _signed(key: str, body: bytes) -> dict[str, str]:
    return _CONTENT_TYPE | {SIGNATURE_HEADER: sign(key, body)}


def _body(evidence: Evidence) -> bytes:
    """What the service would post about the last job, or about one like it where there is none."""
    instance = evidence.instance
    evidence.tick()
    last = next(reversed(instance.jobs.values()), None)
    if last is not None:
        return json.dumps(status_body(instance, last)).encode()
    about = {"id": "1234", "instanceId": instance.id, "status": instance.dialect.complete, "recordsCount": 1}
    return json.dumps(about | {"recordsFailedCount": 0}).encode()


def _called(function: Receive) -> Receive:
    def call(body: bytes, headers: Mapping[str, str]) -> int:
        status: object = function(body, Headers(headers))
        if not isinstance(status, int) or not 100 <= status <= 599:
            raise OcBulkError(
                "assert_signature_checked(): a function takes the body (bytes) and the headers and returns the status"
                f" that it answers, such as 200 or 401, got {status!r}"
            )
        return status

    return call


def _posted_to(evidence: Evidence, url: str) -> Receive:
    deliverer = Deliverer(evidence.emulator)

    def post(body: bytes, headers: Mapping[str, str]) -> int:
        posted = deliverer.post(Callback(evidence.instance.id, "", url, body, headers, 0.0))
        if not posted.status:
            raise OcBulkError(f"assert_signature_checked({url!r}): {posted.failure}")
        return posted.status

    return post
