"""Verdicts on the client: what it did that works by luck, judged by what the fake has seen.

    assert_no_duplicate_uploads     the same rows were not uploaded twice
    assert_errors_were_read         who was told of failed rows read why
    assert_polite_polling           pauses between polls, no polls after the end, Retry-After obeyed
    assert_job_not_abandoned        every job was watched to its end, or cancelled
    assert_signature_checked        a receiver refuses callbacks that are badly signed

They are methods of the handle. `warnings` tells what is certain without being asked.
"""

from __future__ import annotations

from ..evidence import Evidence
from .abandonment import assert_job_not_abandoned
from .duplicates import assert_no_duplicate_uploads, repeated
from .error_reading import assert_errors_were_read, unread
from .form_parts import unread_parts
from .polling import assert_polite_polling, polls_after_the_end
from .signatures import assert_signature_checked

__all__ = [
    "assert_errors_were_read",
    "assert_job_not_abandoned",
    "assert_no_duplicate_uploads",
    "assert_polite_polling",
    "assert_signature_checked",
    "warnings",
]


def warnings(evidence: Evidence) -> list[str]:
    """What the client certainly did wrong, one line each; for the report of a test, whatever its result."""
    evidence.tick()
    return [
        *map(str, repeated(evidence, by_key=False)),
        *unread(evidence),
        *polls_after_the_end(evidence),
        *unread_parts(evidence),
    ]
