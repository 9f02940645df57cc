"""Rows as a test gives them: a list of dictionaries, or the file of contacts that has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .emulator.errors import OcBulkError

if TYPE_CHECKING:
    from .contacts import ContactsFile

Row = Mapping[str, object]

_WANTED = "rows are a list of dictionaries, one for each row"


def row_list(rows: Iterable[Row] | ContactsFile) -> list[Row]:
    """The rows; raises `OcBulkError` for what is none, such as a single row or the name of a file."""
    given: object = getattr(rows, "rows", rows)
    if isinstance(given, Mapping | str | bytes) or not isinstance(given, Iterable):
        raise OcBulkError(f"{_WANTED}, got {given!r:.80}")
    found = list(given)
    for number, row in enumerate(found, 1):
        if not isinstance(row, Mapping):
            raise OcBulkError(f"{_WANTED}, got {row!r:.80} for row {number}")
    return found
