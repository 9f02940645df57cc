"""Notifications of the end of a job: what is posted, how it is signed, when it is tried again (protocol.md 7).

The core only says what is due; `delivery.py` posts it and reports back.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace

SIGNATURE_KEY = "event.notification.signature.key"
SIGNATURE_HEADER = "Elements-Webhook-Signature"
MAX_RETRIES = 9
"""Up to nine retries after 2^(2x) seconds: 4, 16, 64 ... as for the service's events."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One notification: `body` and `headers` to post to `url` from the instant `due` on.

    `attempts` counts the tries so far. `failure` says why the last one failed, empty if none did.
    """

    instance_id: int
    job: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    due: float
    attempts: int = 0
    failure: str = ""

    def again(self, now: float, failure: str) -> Callback | None:
        """The next try after a failed one, or None when all are used up."""
        attempts = self.attempts + 1
        if attempts > MAX_RETRIES:
            return None
        return replace(self, attempts=attempts, due=now + 4.0**attempts, failure=failure)


def sign(key: str, body: bytes) -> str:
    """The value of `Elements-Webhook-Signature`: `sha256=` and Base64 of HMAC-SHA256 over the raw body."""
    return "sha256=" + base64.b64encode(hmac.digest(key.encode(), body, "sha256")).decode()


def verify(key: str, body: bytes, signature: str) -> bool:
    """Whether a signature belongs to these raw bytes; compared in constant time."""
    return hmac.compare_digest(sign(key, body).encode(), signature.encode())
