"""Why an answer did not come, in words, and whether the request can have arrived all the same."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What `requests` raises when a connection fails, before, during or after the answer."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Why there is no answer, and whether any part of the request can have arrived."""

    reason: str
    sent: bool

    def __str__(self) -> str:
        return self.reason


ANSWERED = Lost("", sent=True)


def lost_by(error: requests.RequestException) -> Lost:
    """What an exception out of `BROKEN` means."""
    return Lost(reason_of(error), sent=not _never_sent(error))


def _never_sent(error: requests.RequestException) -> bool:
    """Whether it is certain that no byte of the request left: only then is repeating a POST harmless."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return (
        isinstance(error, requests.ConnectTimeout)
        or isinstance(reason, (NewConnectionError, ConnectTimeoutError))
        or "CERTIFICATE_VERIFY_FAILED" in str(reason)
    )


def reason_of(error: BaseException) -> str:
    """The innermost reason, in words: requests wraps it three deep."""
    if isinstance(error, requests.Timeout):
        return (
            "no answer in time" if not isinstance(error, requests.ConnectTimeout) else "no connection in time"
        )
    inner = getattr(error, "reason", None) or next(
        (each for each in reversed(error.args) if isinstance(each, BaseException)), error.__cause__
    )
    if isinstance(inner, BaseException) and inner is not error:
        return reason_of(inner)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
