"""What a test can claim about a fake, and what it is told when the claim is wrong.

The texts are part of the product. They say what was expected, what is there, and, where it can be known, what
happened on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..emulator.clock import spell
from ..emulator.connectors import ObjectDefinition
from ..emulator.errors import OcBulkError, nearest
from ..emulator.jobs import Job
from ..emulator.journal import Exchange
from ..evidence import Evidence
from ..given_rows import row_list
from ..showing import counted, sent_file
from .causes import BOM, encoding_cause, header_causes
from .comparison import Change, Difference, compare, text

if TYPE_CHECKING:
    from ..contacts import ContactsFile

SHOWN = 5
"""Rows shown of each sort; the others are counted."""


def assert_uploaded(
    evidence: Evidence, object: str, rows: Iterable[Mapping[str, object]] | ContactsFile, key: str
) -> None:
    """Fail unless the records of an object are exactly these rows; see `OcBulk.assert_uploaded`."""
    __tracebackhide__ = True
    expected = row_list(rows)
    shape = evidence.shape(object)
    _check_rows(expected, key)
    evidence.tick()
    arrived = evidence.arrived(shape)
    if difference := compare(expected, arrived, key, shape):
        lines = [
            _summary(object, len(expected), difference, key),
            *_differences(difference, key),
            *_history(evidence, shape, expected),
        ]
        raise AssertionError("\n".join(lines))


def _check_rows(expected: Sequence[Mapping[str, object]], key: str) -> None:
    for number, row in enumerate(expected, 1):
        if key not in row:
            if BOM + key in row:
                raise OcBulkError(
                    f"row {number} has no column {key!r}, but {BOM + key!r}: the rows were read from a file that "
                    "starts with a byte order mark; read it with encoding='utf-8-sig'"
                )
            raise OcBulkError(f"row {number} has no column {key!r}{nearest(key, row)}")


def _summary(object: str, count: int, difference: Difference, key: str) -> str:
    rows = {change.row for change in difference.changes}
    parts = [
        f"{len(difference.missing)} missing" if difference.missing else "",
        f"{len(rows)} changed" if rows else "",
        f"{len(difference.extra)} extra" if difference.extra else "",
        f"{max(difference.swapped.values())} with swapped columns" if difference.swapped else "",
    ]
    return f"{object}: expected {counted(count, 'row')} by {key}: {', '.join(filter(None, parts))}"


def _differences(difference: Difference, key: str) -> Iterator[str]:
    yield from _some("missing", [f"row {number}: {name}" for number, name in difference.missing])
    yield from _some("changed", list(map(_change, difference.changes)))
    yield from _some("extra", [name or f"a record without {key}" for name in difference.extra])
    yield from (
        f"swapped: columns {one!r} and {other!r} in {counted(count, 'row')}"
        for (one, other), count in difference.swapped.items()
    )


def _change(change: Change) -> str:
    why = f": {change.why}" if change.why else ""
    return f"row {change.row} ({change.key}): {change.column} {change.expected!r} arrived as {change.arrived!r}{why}"


def _some(title: str, lines: list[str]) -> Iterator[str]:
    yield from (f"{title}: {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"{title}: ... and {len(lines) - SHOWN} more"


def _history(
    evidence: Evidence, shape: ObjectDefinition, expected: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What became of the uploads, as far as it explains something."""
    if hidden := evidence.hidden(shape):
        yield f"not visible yet: {counted(hidden, 'record')} (visibility)"
    uploads = evidence.uploads()
    about = [job for job in uploads if job.object_name == shape.name]
    if not about:
        others = sorted({job.object_name for job in uploads})
        yield f"no upload to {shape.name!r} was made" + (f", only to {', '.join(others)}" if others else "")
    for job in about:
        yield from _job(evidence, job, expected)


def _job(evidence: Evidence, job: Job, expected: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    status = evidence.instance.dialect.word(job.status)
    if not job.terminal:
        since = spell(evidence.instance.clock.now() - job.created)
        yield f"job {job.id} is still {status} after {since}: its rows are not there yet"
    elif job.error:
        yield f"job {job.id} is {status}: {job.error}"
    if job.failed:
        failures = [f"row {row}: {status}" for row, status in evidence.failures(job)]
        yield from _some(f"job {job.id} failed", failures)
    if job.info:
        yield f"job {job.id}: {job.info}"
    if (upload := evidence.upload_of(job)) is not None and expected:
        yield from (f"job {job.id}: {why}" for why in _file_causes(upload, expected))


def _file_causes(upload: Exchange, expected: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with the file as it was sent."""
    file = sent_file(upload)
    if file is None or not file.content:
        return
    if why := encoding_cause(file.content, whole=file.whole):
        yield why
        return
    first, _, _ = file.content.decode(errors="replace").removeprefix(BOM).partition("\n")
    header = [name.rstrip("\r") for name in first.split(",")]
    columns = list(expected[0])
    yield from header_causes(columns, header)
    values = {text(value) for value in expected[0].values() if text(value)}
    if not set(header) & set(columns) and values & set(header):
        yield "the file has no header row: its first line is a row of data"
