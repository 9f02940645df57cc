"""Blocks of rows on their way from the store into a file: by single values, or as one text.

`["Ann","Berlin"],["Bob",[""]]` are two rows as SQLite writes them; what is missing is `[""]`. Without a backslash no
value holds a quote, so that split at the quotes every second piece is a value, and the gap before it tells whether it
is missing. Another text in each gap makes JSON objects of the block, while nothing was looked at value by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Column = Sequence[Any]
"""The kept values of one field, one for each row of a block; None where one is missing."""


class Block:
    """Rows by single values."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def columns(self, *, blank: bool = False) -> Sequence[Column]:
        """The values, column by column. With `blank` a missing one may be an empty text."""
        del blank
        return self._columns


class TextBlock(Block):
    """Rows of texts in which nothing is to be escaped in JSON, and of missing values."""

    def __init__(self, pieces: list[str], width: int) -> None:
        self._pieces = pieces
        self._step = 2 * width

    @classmethod
    def of_json(cls, text: str, rows: int, width: int) -> TextBlock | None:
        """Rows as SQLite writes them; None if anything but texts is among their values, or anything is escaped."""
        if "\\" in text:
            return None
        pieces = f"],{text}".split('"')  # the gap before the first row then looks like those between rows
        return cls(pieces, width) if len(pieces) == 2 * rows * width + 1 else None

    def columns(self, *, blank: bool = False) -> Sequence[Column]:
        """The values, column by column. With `blank` a missing one is an empty text."""
        columns = [self._pieces[at :: self._step] for at in range(1, self._step, 2)]
        return columns if blank else [self._with_none(at, column) for at, column in enumerate(columns)]

    def objects(self, names: Sequence[str], end: str, *, nulls: bool) -> str:
        """The rows as JSON objects, each followed by `end`; `names` are the members' names as JSON.

        Missing values are null, or left out.
        """
        members = [f", {name}: " for name in names]
        absent = [f"{member}null" if nulls else "" for member in members]
        if nulls or not self._lacks(0):
            members[0], absent[0] = f"{{{members[0][2:]}", f"{{{absent[0][2:]}"
            return self._filled(members, absent, f"}}{end}")
        # Any member may be the first that is there. No line end is in a text without escapes.
        lines = self._filled(members, absent, "\n").split("\n")[:-1]
        return "".join([f"{{{line[2:]}}}{end}" for line in lines])

    def _filled(self, members: Sequence[str], absent: Sequence[str], done: str) -> str:
        """The block with other texts in its gaps: what is before a value or in its stead, and at the end of a row."""
        pieces = self._pieces.copy()
        tables = [_between_rows(members[0], absent[0], done), *map(_between, members[1:], absent[1:])]
        for at, table in enumerate(tables):
            pieces[2 * at :: self._step] = map(table.__getitem__, self._gaps(at))
        pieces[0] = pieces[0].removeprefix(f'"{done}')
        return "".join(pieces)

    def _gaps(self, at: int) -> list[str]:
        """What is before the values of a column. Before those of the first a row ends, so that there is one more."""
        return self._pieces[2 * at :: self._step]

    def _lacks(self, at: int) -> bool:
        """Whether any value of a column is missing."""
        return _absence(at) in "".join(self._gaps(at))

    def _with_none(self, at: int, column: Column) -> Column:
        if not self._lacks(at):
            return column
        mark = _absence(at)
        gaps = zip(self._gaps(at), column, strict=False)
        return [None if gap.endswith(mark) else value for gap, value in gaps]


def _absence(at: int) -> str:
    """How a gap ends that is before a missing value: with a bracket more than one before a value."""
    return "[" if at else "[["


def _between(member: str, absent: str) -> dict[str, str]:
    """What takes the place of a gap between two values of a row, either of which may be missing."""
    return {",": f'"{member}"', "],": f'{member}"', ",[": f'"{absent}', "],[": absent}


def _between_rows(member: str, absent: str, done: str) -> dict[str, str]:
    """The same for a gap between the last value of a row and the first of the next, or behind the last row."""
    return {
        "],[": f'"{done}{member}"',
        "]],[": f'{done}{member}"',
        "],[[": f'"{done}{absent}',
        "]],[[": f"{done}{absent}",
        "]": f'"{done}',
        "]]": done,
    }
