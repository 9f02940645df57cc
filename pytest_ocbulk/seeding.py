"""Records that are there before anything is tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .emulator.clock import milliseconds
from .emulator.collection import Collection, Taken
from .emulator.endpoints.records import record_values
from .emulator.errors import ApiError, BadRequest, OcBulkError, nearest
from .emulator.nesting import flatten
from .evidence import Evidence
from .given_rows import row_list

if TYPE_CHECKING:
    from .contacts import ContactsFile


def seed(evidence: Evidence, object: str, rows: Iterable[Mapping[str, object]] | ContactsFile) -> int:
    """Put records into an object, visible at once; return how many.

    Nested values and column paths (`a.b`) are both understood. Raises `OcBulkError` for a row that the connector would
    refuse, naming it, and then puts none there.
    """
    shape = evidence.shape(object)
    now = milliseconds(evidence.instance.clock.now())
    seeded: set[int] = set()
    with evidence.emulator.lock, evidence.emulator.store.transaction():
        records = evidence.collection(shape)
        for number, row in enumerate(row_list(rows), 1):
            try:
                _check_columns(records, row)
                values = record_values(shape, dict(row), complete=True)
                seeded.add(records.insert(list(values), [list(values.values())], now))
            except ApiError as error:
                raise OcBulkError(f"seed({object!r}): row {number}: {error.message}") from None
            except Taken as taken:
                raise OcBulkError(
                    f"seed({object!r}): row {number}: another record has this {taken.field} already"
                ) from None
    evidence.seeded.setdefault(object, set()).update(seeded)
    return len(seeded)


def _check_columns(records: Collection, row: Mapping[str, object]) -> None:
    """Raise `BadRequest` for a column that a declared object does not have: the service would drop it."""
    for column in flatten(dict(row)):
        if not records.knows(column):
            raise BadRequest(f"{records.name} has no column {column!r}{nearest(column, records.declared)}")
