"""An answer becomes another one: with an error in the vendor's shape, with another body."""

from __future__ import annotations

import json
from typing import Any

from ..errors import error_body
from ..messages import JSON, Response

PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""What an injected error says unless told otherwise: the phrases of RFC 9110 (and 6585 for 429)."""


def refused(
    response: Response,
    code: int,
    message: str,
    provider_message: str | None,
    headers: dict[str, str] | None = None,
) -> Response:
    """An error in the vendor's shape, with the request id that the answer has (protocol.md 2.3)."""
    body = error_body(response.headers.get("elements-request-id", ""), message, provider_message)
    answer = with_body(response, json.dumps(body, ensure_ascii=False).encode())
    return answer._replace(status=code, headers={**answer.headers, **(headers or {})})


def with_body(response: Response, body: bytes) -> Response:
    """The same status and headers with another JSON body."""
    drop(response)
    headers = {**response.headers, "Content-Type": JSON, "Content-Length": str(len(body))}
    return response._replace(headers=headers, body=body)


def drop(response: Response) -> None:
    """Close the iterator of a body that nobody will read, so that it frees what it holds."""
    if (close := getattr(response.body, "close", None)) is not None:
        close()


def json_value(response: Response) -> Any:
    """The JSON of an answer, None when it is something else."""
    if not isinstance(response.body, bytes) or "json" not in response.headers.get("Content-Type", ""):
        return None
    try:
        return json.loads(response.body)
    except ValueError:
        return None


def is_json(body: bytes) -> bool:
    """Whether a body is valid JSON."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
