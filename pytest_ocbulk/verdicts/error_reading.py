"""Did somebody read why rows failed? A job that ends well may have failed rows; only `/errors` tells which."""

from __future__ import annotations

from collections.abc import Iterator

from ..emulator.errors import ApiError
from ..emulator.journal import Exchange
from ..emulator.paging import page_of
from ..evidence import Evidence
from .judging import Which, calls, chosen, complain, nothing_to_judge


def assert_errors_were_read(evidence: Evidence, job: Which = None) -> None:
    """Fail if failed rows were not asked about; see `OcBulk.assert_errors_were_read`."""
    __tracebackhide__ = True
    evidence.tick()
    if not any(each.failed for each in chosen(evidence, job)):
        raise nothing_to_judge(
            "assert_errors_were_read", "no row failed; plan some: next_job(fail_rows={2: 'bad e-mail'})"
        )
    word = evidence.instance.dialect.complete
    head = f"expected the errors of failed rows to be read, for {word} does not mean that all rows are in"
    complain(evidence, head, unread(evidence, job))


def unread(evidence: Evidence, which: Which = None) -> Iterator[str]:
    """The jobs with failed rows whose errors were not all read, in words."""
    errors = calls(evidence, "errors")
    for job in chosen(evidence, which):
        if job.failed and job.terminal:
            failures = evidence.failures(job)
            reads = [each for each in errors[job.id] if each.method == "GET"]
            read = len(_delivered(reads, [row for row, _ in failures]))
            told = f"job {job.id}: {job.failed} of {job.records} rows failed"
            if not reads:
                row, text = failures[0]
                yield f"{told}, and GET /bulk/{job.id}/errors was never called; the first of them is row {row}: {text}"
            elif read < len(failures):
                often = "1 call" if len(reads) == 1 else f"{len(reads)} calls"
                yield (
                    f"{told}, and {often} of GET /bulk/{job.id}/errors read {read} of their {len(failures)} errors;"
                    " follow elements-next-page-token until an answer has none"
                )


def _delivered(reads: list[Exchange], rows: list[int]) -> set[int]:
    """Which errors, by their place, were in the answers."""
    places: set[int] = set()
    for each in reads:
        if each.status != 200 or each.fault:
            continue
        try:
            page = page_of(each.query)
        except ApiError:  # answered 200 by something else, such as a fault without a name
            continue
        first = sum(row <= page.after for row in rows) if page.after else page.offset
        places.update(range(first, min(first + page.size, len(rows))))
    return places
