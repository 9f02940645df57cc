"""Were the same rows uploaded twice? The bug of clients that repeat a POST whose answer was lost.

Two uploads repeat each other when their files are byte for byte the same, or when both are to create rows of the same
key. Rows that had failed, and jobs that had failed or been cancelled, are rightly uploaded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..emulator.jobs import CANCELLED, FAILED, Job
from ..evidence import Evidence
from .judging import complain, length, moment, nothing_to_judge, spans


@dataclass(frozen=True, slots=True)
class Repetition:
    """Rows of `first` that came again in `second`; none are named where the file was not read yet."""

    first: Job
    second: Job
    rows: tuple[int, ...]
    same_content: bool
    column: str
    text: str

    def __str__(self) -> str:
        return self.text


def assert_no_duplicate_uploads(evidence: Evidence) -> None:
    """Fail if rows were uploaded twice; see `OcBulk.assert_no_duplicate_uploads`."""
    __tracebackhide__ = True
    evidence.tick()
    if not evidence.uploads():
        raise nothing_to_judge("assert_no_duplicate_uploads", "nothing was uploaded")
    complain(evidence, "expected every row to be uploaded once", map(str, repeated(evidence)))


def repeated(evidence: Evidence) -> Iterator[Repetition]:
    """The uploads that repeat an earlier one, each with the first that it repeats."""
    uploads = evidence.uploads()
    for at, second in enumerate(uploads):
        for first in uploads[:at]:
            if first.object_name == second.object_name and not _had_failed(first, second.created):
                found = _again(evidence, first, second)
                if found is not None:
                    yield found
                    break


def _had_failed(job: Job, at: float) -> bool:
    return any(event.status in FAILED | {CANCELLED} and event.at <= at for event in job.events)


def _again(evidence: Evidence, first: Job, second: Job) -> Repetition | None:
    same = bool(first.digest) and first.digest == second.digest and first.metadata == second.metadata
    failed = {row for row, _ in evidence.failures(first)}
    if same:
        rows = [row for row in range(1, len(first.row_keys or ()) + 1) if row not in failed]
        all_failed = bool(failed) and not rows
    else:
        rows = _rows_of_known_keys(first, second, failed)
        all_failed = not rows
    if all_failed:
        return None
    column = (second.row_keys.column if second.row_keys else "") or ""
    text = _tell(evidence, first, second, rows, column if not same else None)
    return Repetition(first, second, tuple(rows), same, column, text)


def _rows_of_known_keys(first: Job, second: Job, failed: set[int]) -> list[int]:
    """The rows of the second job whose keys the first one brought in."""
    one, other = first.row_keys, second.row_keys
    if one is None or other is None or not (one.new and other.new) or one.column != other.column:
        return []
    known = {key for row, key in enumerate(one, 1) if row not in failed}
    return [row for row, key in enumerate(other, 1) if key in known]


def _tell(evidence: Evidence, first: Job, second: Job, rows: list[int], column: str | None) -> str:
    what = spans(rows) if rows else "the whole file"
    known = f"same content, sha256 {first.digest[:12]}" if column is None else f"same {column or 'rows'}"
    text = (
        f"{first.object_name}: {what} uploaded twice, by job {first.id} at {moment(evidence, first.created)} and job"
        f" {second.id} at {moment(evidence, second.created)}, {length(second.created - first.created)} apart ({known})"
    )
    call = evidence.upload_of(first)
    if call is not None and (call.fault or call.status != 200):
        became = f"was {call.status}" if call.status not in (0, 200) else "was lost"
        why = f" ({call.fault})" if call.fault else ""
        text += (
            f"; the answer to the first {became}{why}, but the job was there:"
            " before a POST is repeated, GET /bulk/jobs tells whether it arrived"
        )
    return text
