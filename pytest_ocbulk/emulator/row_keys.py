"""Which rows an upload holds, in eight bytes for each: enough to know a row again that was uploaded before.

A row is known by the column that identifies it: the key that `metaData` names, a unique field, the primary key; where
there is none, or it is empty, by the whole row.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connectors import ObjectDefinition
    from .rows import Chunk


class RowKeys:
    """The rows of one job, in their order.

    `column` is what they are known by, empty for the whole row; `new` tells whether they are to be created, rather
    than to update what is there.
    """

    def __init__(self, key: str | None, shape: ObjectDefinition | None, *, new: bool) -> None:
        self.new = new
        primary = [shape.primary_key] if shape is not None else []
        unique = shape.unique_fields if shape is not None else ()
        self._candidates = [*([key] if key else []), *unique, *primary]
        self.column: str | None = None
        self._prints = array("q")

    def __len__(self) -> int:
        return len(self._prints)

    def __iter__(self) -> Iterator[int]:
        return iter(self._prints)

    def add(self, chunk: Chunk) -> None:
        """Remember the rows of a chunk."""
        if self.column is None:
            self.column = next((name for name in self._candidates if name in chunk.columns), "")
        self._prints.extend(_prints(self._known_by(chunk)))

    def _known_by(self, chunk: Chunk) -> Sequence[object]:
        if self.column not in chunk.columns:
            return [tuple(row) for row in chunk.rows]
        at = chunk.columns.index(self.column)
        values = [row[at] for row in chunk.rows]
        return (
            values
            if all(values)
            else [value or tuple(row) for value, row in zip(values, chunk.rows, strict=True)]
        )


def _prints(values: Sequence[object]) -> list[int]:
    """Numbers that stand for values in this process."""
    try:
        return list(map(hash, values))
    except TypeError:  # lists and objects of JSON have no hash of their own
        return list(map(hash, map(repr, values)))
