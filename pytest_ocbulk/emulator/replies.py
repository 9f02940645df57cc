"""What is around every answer on the wire: headers, the body of a refusal, and what a browser asks first."""

from __future__ import annotations

import json

from .endpoints.call import Answer
from .errors import ApiError, error_body
from .instances import Instance
from .messages import JSON, Request, Response, http_date

EXPOSED = (
    "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token, "
    "Elements-Trace-Id, Elements-Error, Content-Disposition"
)
"""The headers a browser may read: the vendor's list in the vendor's order (protocol.md 2.4)."""

_to_json = json.JSONEncoder(ensure_ascii=False).encode


def refusal(error: ApiError, request_id: str) -> Answer:
    """The vendor's error body; the status is not repeated in it (protocol.md 2.3)."""
    body = error_body(request_id, error.message, error.provider_message)
    return Answer(body, dict(error.headers), status=error.status)


def response(
    answer: Answer, request: Request, request_id: str, instance: Instance | None = None, now: float = 0.0
) -> Response:
    """An answer as it is sent; `instance`: whose it is, if it is any's, and `now` the time by its clock."""
    body = answer.body
    if body is None:
        body = _to_json(answer.payload).encode()
    # An empty file has a type all the same; empty JSON is none (RFC 8259, 2).
    headers = {"Content-Type": answer.content_type} if body or answer.content_type != JSON else {}
    headers["elements-request-id"] = request_id
    if answer.headers:
        headers |= answer.headers
    if instance is not None:
        headers["elements-element-instance-id"] = str(instance.id)
        headers["Date"] = http_date(int(now))
    if "origin" in request.headers:
        headers |= {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED}
    if isinstance(body, bytes):
        headers["Content-Length"] = str(len(body))
    return Response(answer.status, headers, body)


def preflight(request: Request, request_id: str) -> Response:
    """The answer to OPTIONS: every method and every header that was asked for is allowed (protocol.md 2.4)."""
    headers = {
        "elements-request-id": request_id,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": request.header("access-control-request-headers") or "Authorization",
        "Access-Control-Expose-Headers": EXPOSED,
        "Content-Length": "0",
    }
    return Response(200, headers)
