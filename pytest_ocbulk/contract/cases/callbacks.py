"""Callbacks: what is posted at the end of a job, and its signature."""

from __future__ import annotations

import json

from pytest_ocbulk.client import verify_signature

from ..case import Changes, case
from ..receiving import Delivered
from ..subject import Subject
from .uploads import ENDED_WELL

SIGNATURE = "elements-webhook-signature"
STEP = 0.1
"""Seconds between two looks into the mailbox, which is our own."""
PATIENCE = 90.0
"""Seconds: older services post up to about a minute after the end (protocol.md 7)."""


def _delivered(at: Subject) -> tuple[str, Delivered]:
    """A job that asked for a callback, and the callback."""
    mailbox = at.target.mailbox
    if mailbox is None:
        at.skip("there is no receiver that callbacks could reach")
    job = at.empty_query(mailbox.url).id
    at.finish(job)
    waited = 0.0
    while not (arrived := mailbox.about(job)) and waited < PATIENCE:
        at.target.pause(STEP)
        waited += STEP
    at.saw("callbacks", len(arrived), 1)
    if not arrived:
        raise TimeoutError(f"no callback came in {PATIENCE:g} s")
    return job, arrived[0]


@case(
    "[docs] CEH/about-bulk; fields [client] OLF BulkStep2.json, BulkStep3.json (protocol 7)",
    needs=("object", "writable", "callback_url"),
    changes=Changes.JOBS,
)
def the_end_of_a_job_is_posted(at: Subject) -> None:
    """One POST with the fields that clients read."""
    job, callback = _delivered(at)
    body = json.loads(callback.body)
    at.saw("method", callback.method, "POST")
    at.saw("id is the job's", str(body.get("id")) == job, True)
    at.saw("word", body.get("status"), ENDED_WELL)
    at.saw("counts", [body.get("recordsCount"), body.get("recordsFailedCount")], [0, 0])
    at.saw("has fileFormat", "fileFormat" in body, True)
    at.saw("has an error", "error" in body, False)


@case(
    "[docs] DP event-management/security.md, CEH/OCH hash-verification; [live-test] CH17 platform/events (protocol 7)",
    needs=("object", "writable", "callback_url"),
    changes=Changes.JOBS,
)
def callbacks_are_signed(at: Subject) -> None:
    """Base64 of HMAC-SHA256 over the raw body."""
    if not at.target.signature_key:
        at.skip("OCBULK_SIGNATURE_KEY is not set: the instance's event.notification.signature.key")
    _, callback = _delivered(at)
    signature = callback.headers.get(SIGNATURE, "")
    at.saw("has a signature", signature.startswith("sha256="), True)
    at.saw("it fits", verify_signature(at.target.signature_key, callback.body, signature), True)
