"""Is a callback really from the service? Base64 of HMAC-SHA256 over the raw bytes (protocol.md 7)."""

from __future__ import annotations

import base64
import hashlib
import hmac

HEADER = "Elements-Webhook-Signature"
"""The header that carries the signature of a callback."""


def verify_signature(key: str | bytes, body: bytes, header: str) -> bool:
    """Whether `header` signs `body` with `key`, in constant time.

    `body` is the body as received, before any JSON parsing; `header` is the value of `Elements-Webhook-Signature`,
    `sha256=<base64>`. A header that is missing (empty) or malformed is simply False. Source: the vendor's
    "Hash Verification" page, whose example is in fixtures/vectors/signature.json.
    """
    secret = key.encode() if isinstance(key, str) else key
    digest = hmac.new(secret, body, hashlib.sha256).digest()
    expected = b"sha256=" + base64.b64encode(digest)
    return hmac.compare_digest(expected, header.encode("utf-8", "surrogateescape"))
