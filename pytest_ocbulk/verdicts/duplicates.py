"""Were the same rows uploaded twice? The bug of clients that repeat a POST whose answer was lost.

Two uploads repeat each other when their files are byte for byte the same, or when both are to create rows of the same
key. Rows that had failed, and jobs that had failed or been cancelled, are rightly uploaded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from ..emulator.jobs import CANCELLED, FAILED, Job
from ..evidence import Evidence
from .judging import complain, length, moment, nothing_to_judge, spans


class Repetition(NamedTuple):
    """Rows of `second` that came in with `first`, by number; none are named where the file was not read yet."""

    first: Job
    second: Job
    rows: tuple[int, ...]
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


def repeated(evidence: Evidence, *, by_key: bool = True) -> Iterator[Repetition]:
    """The uploads that repeat an earlier one, each with the first that it repeats; the same files only or also keys."""
    files: dict[tuple[str, ...], list[_Upload]] = {}
    holders: dict[tuple[object, ...], list[_Upload]] = {}
    for job in evidence.uploads():
        second = _Upload(evidence, job)
        alike = files.setdefault((job.object_name, job.digest, job.metadata or ""), [])
        found = _same_file(evidence, alike, job) or (_same_keys(evidence, holders, job) if by_key else None)
        if found is not None:
            yield found
        if job.digest:
            alike.append(second)
        if by_key and job.row_keys is not None and job.row_keys.new:
            for key in second.keys:
                holders.setdefault((job.object_name, job.row_keys.column, key), []).append(second)


class _Upload:
    """One upload, and what is asked about it again and again."""

    def __init__(self, evidence: Evidence, job: Job) -> None:
        self.job = job
        self._evidence = evidence

    @cached_property
    def rows(self) -> list[int]:
        """The numbers of the rows that came in, as far as the file was read."""
        failed = {row for row, _ in self._evidence.failures(self.job)}
        return [row for row in range(1, len(self.job.row_keys or ()) + 1) if row not in failed]

    @property
    def keys(self) -> set[int]:
        """The keys of these rows."""
        prints = list(self.job.row_keys or ())
        return {prints[row - 1] for row in self.rows}

    def stands(self, at: float) -> bool:
        """Whether it has not failed by an instant."""
        return not any(event.status in FAILED | {CANCELLED} and event.at <= at for event in self.job.events)


def _same_file(evidence: Evidence, alike: list[_Upload], second: Job) -> Repetition | None:
    for first in alike:
        not_read_yet = not len(first.job.row_keys or ())
        if first.stands(second.created) and (first.rows or not_read_yet):
            text = _tell(evidence, first.job, second, first.rows, f"content, sha256 {second.digest[:12]}")
            return Repetition(first.job, second, tuple(first.rows), text)
    return None


def _same_keys(
    evidence: Evidence, holders: dict[tuple[object, ...], list[_Upload]], second: Job
) -> Repetition | None:
    """The rows whose keys an earlier upload brought in, the first such upload."""
    keys = second.row_keys
    if keys is None or not keys.new:
        return None
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys, 1):
        for first in holders.get((second.object_name, keys.column, key), ()):
            if first.stands(second.created):
                rows.setdefault(first.job.id, []).append(row)
    if not rows:
        return None
    first_job = evidence.instance.jobs[min(rows, key=list(evidence.instance.jobs).index)]
    found = rows[first_job.id]
    text = _tell(evidence, first_job, second, found, keys.column or "rows")
    return Repetition(first_job, second, tuple(found), text)


def _tell(evidence: Evidence, first: Job, second: Job, rows: list[int], same: str) -> str:
    what = spans(rows) if rows else "the whole file"
    apart = length(second.created - first.created)
    text = (
        f"{first.object_name}: {what} uploaded twice, by job {first.id} at {moment(evidence, first.created)} and job"
        f" {second.id} at {moment(evidence, second.created)}, {apart} apart (same {same})"
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
