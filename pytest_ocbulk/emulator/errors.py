"""The two families of errors.

ApiError        what the client under test hears: it becomes the service's JSON, with its status
OcBulkError     what the author of a test hears: it stops the test and says what to do

They are never mixed: no ApiError leaves `Emulator.handle`, no OcBulkError is ever answered over the wire.
"""

from __future__ import annotations

from collections.abc import Iterable


class ApiError(Exception):
    """A refusal in the vendor's shape, which `error_body` makes."""

    status = 500

    def __init__(self, message: str, *, provider_message: str | None = None) -> None:
        super().__init__(message)
        self.headers: dict[str, str] = {}
        self.message = message
        self.provider_message = provider_message


def error_body(request_id: str, message: str, provider_message: str | None = None) -> dict[str, str]:
    """The JSON of a refusal: `{"requestId", "message"[, "providerMessage"]}` (protocol.md 2.3)."""
    body = {"requestId": request_id, "message": message}
    return body if provider_message is None else {**body, "providerMessage": provider_message}


class BadRequest(ApiError):
    """400: often a missing or malformed parameter (protocol.md 2.3)."""

    status = 400


class Unauthorized(ApiError):
    """401 with the vendor's one sentence, whatever part of the credentials is wrong (protocol.md 2.2)."""

    status = 401

    def __init__(self) -> None:
        super().__init__("Invalid Organization or User secret, or invalid Element token provided.")


class Forbidden(ApiError):
    """403: the instance is disabled (protocol.md 2.2)."""

    status = 403


class NotFound(ApiError):
    """404: no such path, job, object or record."""

    status = 404


class MethodNotAllowed(ApiError):
    """405: the path exists, the method does not; the header `Allow` names those that do (RFC 9110, 15.5.6)."""

    status = 405

    def __init__(
        self, message: str, allowed: Iterable[str] = (), *, provider_message: str | None = None
    ) -> None:
        super().__init__(message, provider_message=provider_message)
        self.headers = {"Allow": ", ".join(sorted(allowed))}


class NotAcceptable(ApiError):
    """406: the answer cannot have the form that `Accept` asks for (protocol.md 2.3)."""

    status = 406


class Conflict(ApiError):
    """409: a record with that key is there already (protocol.md 9.1)."""

    status = 409


class PayloadTooLarge(ApiError):
    """413: beyond the size that the server was started with (protocol.md 10)."""

    status = 413


class UnsupportedMediaType(ApiError):
    """415: the body is of a type that the call does not read (protocol.md 2.3)."""

    status = 415


class OcBulkError(Exception):
    """A mistake in a test, a marker, an option or a connector file; the text says how to mend it."""


def nearest(word: object, choices: Iterable[str]) -> str:
    """A hint for a misspelt name, or for what is none: `; did you mean 'upload'?` or the list of what there is."""
    from difflib import get_close_matches  # for who has made a mistake

    known = sorted(choices)
    close = get_close_matches(str(word), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(known)}" if known else ""
