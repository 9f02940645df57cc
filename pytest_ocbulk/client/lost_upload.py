"""Which job, if any, came of an upload whose answer got lost.

The service offers no idempotency key, but it lists its jobs. A job can be the lost one if it is an upload of the
same object, began no earlier than the attempt, was not answered to this client before, and contradicts nothing
that was sent. A value of one's own in the metadata (`callback-payload` is made for that) leaves no doubt; without one
and without times nothing is claimed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import AmbiguousUpload
from .reports import JobStatusReport

MARK = "callback-payload"
"""The option whose value the service hands back as it is; random, it is the mark of one upload."""

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
    return _agrees(attempt.metadata or {}, report)


def _agrees(sent: Mapping[str, Any], report: JobStatusReport) -> bool:
    """The service may leave keys out or add some; a key that both have must have one value.

    Where it tells what came with a job, a mark that was sent is among it.
    """
    kept = _kept(report)
    if MARK in sent and _tells_metadata(report):
        return MARK in kept and bool(kept[MARK] == sent[MARK])
    return all(kept[key] == sent[key] for key in sent.keys() & kept.keys())


def _tells_metadata(report: JobStatusReport) -> bool:
    return "metadata" in report.raw or "metaData" in report.raw


def _kept(report: JobStatusReport) -> Mapping[str, Any]:
    try:
        kept = json.loads(report.metadata or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def bears_mark(attempt: UploadAttempt, report: JobStatusReport) -> bool:
    """Whether the job tells the value that only this upload was given."""
    mark = (attempt.metadata or {}).get(MARK)
    return mark is not None and _kept(report).get(MARK) == mark


def the_only(
    attempt: UploadAttempt, found: Iterable[JobStatusReport], *, dated: bool
) -> JobStatusReport | None:
    """The one report, None if there is none; raises `AmbiguousUpload` if there are more.

    So it does for one that bears no mark if it is not `dated`, so that it can be of an earlier upload.
    """
    candidates = tuple(found)
    candidates = tuple(each for each in candidates if bears_mark(attempt, each)) or candidates
    if len(candidates) == 1 and not dated and not bears_mark(attempt, candidates[0]):
        raise AmbiguousUpload(
            f"job {candidates[0].id} can be the upload of {attempt.file_name} to {attempt.object}, or an earlier one:"
            f" the service does not tell when it began; give each upload a {MARK!r} of its own in the metadata",
            candidates,
        )
    if len(candidates) > 1:
        ids = ", ".join(report.id for report in candidates)
        raise AmbiguousUpload(
            f"{len(candidates)} jobs can be the upload of {attempt.file_name} to {attempt.object}: {ids};"
            " give each upload a 'callback-payload' of its own in the metadata to tell them apart",
            candidates,
        )
    return next(iter(candidates), None)
