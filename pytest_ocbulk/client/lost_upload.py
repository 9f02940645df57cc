"""Which job, if any, came of an upload whose answer got lost.

The service offers no idempotency key, but it lists its jobs. A job can be the lost one if it is an upload of the
same object, began no earlier than the attempt, was not answered to this client before, and contradicts nothing
that was sent. A value of one's own in the metadata (`callback-payload` is made for that) leaves no doubt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import AmbiguousUpload
from .reports import JobStatusReport

TOLERANCE = 60.0
"""Seconds by which the clocks of the service's own machines may differ."""


@dataclass(frozen=True, slots=True)
class UploadAttempt:
    """What was sent when the answer got lost.

    `size` is the file's size in bytes, None for a source without one; `metadata` what was given to `upload`;
    `began` seconds on the client's own clock.
    """

    object: str
    file_name: str
    size: int | None
    metadata: Mapping[str, Any] | None
    began: float


def could_be(attempt: UploadAttempt, report: JobStatusReport, not_before: float | None) -> bool:
    """Whether nothing that `report` says speaks against being the job of `attempt`.

    `not_before` is the earliest start, in seconds since 1970 on the service's clock; None if that is unknown.
    """
    if report.direction not in (None, "UPLOAD") or report.object_name not in (None, attempt.object):
        return False
    if not_before is not None and report.created and report.created.timestamp() < not_before - TOLERANCE:
        return False
    if None not in (attempt.size, report.file_size) and attempt.size != report.file_size:
        return False
    return _agrees(attempt.metadata or {}, report.metadata)


def _agrees(sent: Mapping[str, Any], told: str | None) -> bool:
    """The service may leave keys out or add some; a key that both have must have one value."""
    try:
        kept = json.loads(told or "{}")
    except ValueError:
        return True
    return not isinstance(kept, dict) or all(kept[key] == sent[key] for key in sent.keys() & kept.keys())


def the_only(attempt: UploadAttempt, found: Iterable[JobStatusReport]) -> JobStatusReport | None:
    """The one report, None if there is none; raises `AmbiguousUpload` if there are more."""
    candidates = tuple(found)
    if len(candidates) > 1:
        ids = ", ".join(report.id for report in candidates)
        raise AmbiguousUpload(
            f"{len(candidates)} jobs can be the upload of {attempt.file_name} to {attempt.object}: {ids};"
            " give each upload a 'callback-payload' of its own in the metadata to tell them apart",
            candidates,
        )
    return next(iter(candidates), None)
