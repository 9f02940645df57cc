"""Believes whoever posts to its webhook."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping

KEY = "MySecretEventSignatureKey"

finished: list[str] = []


def faulty(body: bytes, headers: Mapping[str, str]) -> int:
    """A webhook: note that a job has ended; return the status of the answer."""
    finished.append(json.loads(body)["id"])
    return 200


def corrected(body: bytes, headers: Mapping[str, str]) -> int:
    """The same, for callbacks that the service has signed."""
    expected = "sha256=" + base64.b64encode(hmac.digest(KEY.encode(), body, "sha256")).decode()
    given = headers.get("Elements-Webhook-Signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return 401
    finished.append(json.loads(body)["id"])
    return 200
