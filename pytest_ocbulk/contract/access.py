"""One look at a service before any case runs there: it can be reached, and takes the secrets."""

from __future__ import annotations

import requests

from pytest_ocbulk.client.breakage import reason_of
from pytest_ocbulk.client.bulk_client import ENVIRONMENT
from pytest_ocbulk.emulator.errors import OcBulkError

from .target import Answer, Target

PROBE = "/objects"
"""The call that every connector answers and that changes nothing."""


def check_access(target: Target) -> None:
    """Raise `OcBulkError` where every case would only say the same: no answer, refused secrets, no such API."""
    try:
        answer = target.ask("GET", PROBE)
    except requests.RequestException as error:
        raise OcBulkError(
            f"cannot reach {target.base_url}: {reason_of(error)}; no case was run; check the URL and the way to it"
        ) from None
    if answer.status in (401, 403):
        names = (ENVIRONMENT["element_token"], ENVIRONMENT["user_secret"], ENVIRONMENT["organization_secret"])
        raise OcBulkError(
            f"{answer.status} for GET {target.base_url}{PROBE}{_said(answer)}; no case was run; check"
            f" {names[0]}, {names[1]} and, where one is needed, {names[2]}"
        )
    if answer.status == 404:
        raise OcBulkError(
            f"404 for GET {target.base_url}{PROBE}{_said(answer)}; no case was run; the URL goes up to and includes"
            " /elements/api-v2"
        )


def _said(answer: Answer) -> str:
    """The service's own words, in quotes; empty if it has none."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    message = body.get("message") if isinstance(body, dict) else None
    return f": {message!r}" if message and isinstance(message, str) else ""
