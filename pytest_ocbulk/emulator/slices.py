"""A file in slices: read, checked row by row, ready to be written. No store is touched here.

A slice holds whole batches unless a batch is larger than a slice. Checks that concern the whole file end it: the
slice then says why it is `broken`, and the job is ABORTED (protocol.md 3.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from .checks import Value, check_column
from .connectors import WHOLE_FILE, ObjectDefinition
from .row_keys import RowKeys
from .rows import BrokenFile, Chunk, read
from .stored_values import encode
from .upload import Options

SLICE = 1000
"""Rows that are written in one go, while the emulator's lock is held."""


@dataclass(slots=True)
class Slice:
    """Checked rows, encoded for the store.

    `first` is the number of the first row. `faults` maps the index of a row to what is wrong with it, `blanks` are
    the indexes of columns in which an empty value means none. `broken` says why the file ends here, if it does so
    before its time; `last` that nothing follows.
    """

    first: int = 0
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    faults: dict[int, str] = field(default_factory=dict)
    blanks: frozenset[int] = frozenset()
    last: bool = False
    broken: str = ""

    @property
    def end(self) -> int:
        """The number of the last row."""
        return self.first + len(self.rows) - 1

    def after(self, row: int) -> Slice:
        """The same without its rows up to the one numbered `row`."""
        skip = min(row - self.first + 1, len(self.rows))
        if skip <= 0:
            return self
        faults = {at - skip: text for at, text in self.faults.items() if at >= skip}
        return replace(self, first=self.first + skip, rows=self.rows[skip:], faults=faults)


class Slices:
    """The slices of one uploaded file. `ignored` names the columns that the object does not have."""

    def __init__(
        self,
        file: BinaryIO,
        options: Options,
        shape: ObjectDefinition | None,
        object_name: str,
        batch: int,
        fail_rows: Mapping[int, str],
    ) -> None:
        self.shape = shape
        self.object_name = object_name
        self.action = options.action or "create"
        self.key = options.key or (shape.primary_key if shape else "")
        self.batch = batch
        self.fail_rows = fail_rows
        self.row_keys = RowKeys(options.key, shape, new=self.action == "create")
        self.ignored: tuple[str, ...] = ()
        file.seek(0)
        self._chunks = read(
            file, options.file_format, SLICE if self.larger_than_a_slice else SLICE // batch * batch
        )

    @property
    def larger_than_a_slice(self) -> bool:
        """Whether a batch does not fit into a slice."""
        return self.batch == WHOLE_FILE or self.batch > SLICE

    def next(self) -> Slice:
        """Read and check the next slice."""
        try:
            chunk = next(self._chunks, None)
            if chunk is None:
                return Slice(last=True)
            if chunk.broken:
                chunk = self._whole_batches(chunk)
            piece = self._checked(chunk) if chunk.rows else Slice()
        except BrokenFile as error:
            return Slice(last=True, broken=str(error))
        piece.last, piece.broken = bool(chunk.broken), chunk.broken
        return piece

    def _whole_batches(self, chunk: Chunk) -> Chunk:
        """The batch in which the file breaks is incomplete, so none of it is applied."""
        whole = 0 if self.larger_than_a_slice else len(chunk.rows) // self.batch * self.batch
        return replace(chunk, rows=chunk.rows[:whole])

    def _checked(self, chunk: Chunk) -> Slice:
        planned = dict(self._condemned(chunk))  # what a test has planned is what it will look for
        self.row_keys.add(chunk)
        if self.shape is None:
            text = f"{self.object_name}: No such object"
            return Slice(chunk.first, (), chunk.rows, dict.fromkeys(range(len(chunk.rows)), text) | planned)
        self._check_header(self.shape, chunk)
        columns, values = self._kept(self.shape, chunk)
        faults: dict[int, str] = {}
        for at in reversed(range(len(columns))):  # the first column's complaint is the one that stays
            definition = self.shape.fields.get(columns[at])
            if definition is not None:
                values[at], wrong = check_column(definition, values[at])
                faults |= wrong
        if not chunk.text:
            values = [_encoded(column, faults) for column in values]
        self._check_one_of(self.shape, columns, values)
        blanks = frozenset(at for at, column in enumerate(values) if chunk.text and "" in column)
        rows = _rows(chunk, columns, values)
        return Slice(chunk.first, columns, rows, faults | planned, blanks)

    def _condemned(self, chunk: Chunk) -> Iterator[tuple[int, str]]:
        """Rows that a test has planned to fail, by index (`next_job(fail_rows=...)`)."""
        for row, text in self.fail_rows.items():
            if chunk.first <= row < chunk.first + len(chunk.rows):
                yield row - chunk.first, text

    def _check_header(self, shape: ObjectDefinition, chunk: Chunk) -> None:
        if not chunk.text or chunk.first > 1:
            return
        missing = [f"'{name}'" for name in self._needed(shape) if name not in chunk.columns]
        if missing:
            raise BrokenFile(f"All {shape.name} records require {' and '.join(missing)}")

    def _needed(self, shape: ObjectDefinition) -> list[str]:
        if self.action == "create":
            return [each.name for each in shape.fields.values() if each.required]
        return [self.key]

    def _kept(self, shape: ObjectDefinition, chunk: Chunk) -> tuple[list[str], list[Sequence[Value]]]:
        """The columns that the object has, and their values; the others are left out and named (11.1)."""
        columns, values = list(chunk.columns), list(zip(*chunk.rows, strict=True))
        if not shape.declared:
            return columns, list(values)
        keep = [at for at, name in enumerate(columns) if self._writable(shape, name)]
        if len(keep) < len(columns):
            self.ignored = tuple(name for at, name in enumerate(columns) if at not in keep)
        columns, kept = [columns[at] for at in keep], [values[at] for at in keep]
        if not chunk.text:
            nothing: tuple[Value, ...] = (None,) * len(chunk.rows)
            absent = [name for name in self._needed(shape) if name not in columns]
            columns, kept = columns + absent, kept + [nothing] * len(absent)
        return columns, list(kept)

    def _writable(self, shape: ObjectDefinition, name: str) -> bool:
        definition = shape.fields.get(name)
        if definition is None:
            return False
        return not definition.read_only or (name == self.key and self.action != "create")

    def _check_one_of(
        self, shape: ObjectDefinition, columns: Sequence[str], values: Sequence[Sequence[Any]]
    ) -> None:
        if not shape.requires_one_of:
            return
        present = [values[columns.index(name)] for name in shape.requires_one_of if name in columns]
        if not present or not all(any(alternatives) for alternatives in zip(*present, strict=True)):
            names = " or ".join(f"'{name}'" for name in shape.requires_one_of)
            raise BrokenFile(f"All {shape.name} records require either {names}")


def _encoded(column: Sequence[Value], faults: dict[int, str]) -> list[Any]:
    encoded: list[Any] = []
    for at, value in enumerate(column):
        try:
            encoded.append(encode(value))
        except ValueError as error:
            encoded.append(None)
            faults[at] = f"{value!r}: {error}"
    return encoded


def _rows(chunk: Chunk, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """The rows that the checked columns make; those of the file where nothing was left out or converted."""
    if not values:
        return [()] * len(chunk.rows)
    untouched = tuple(columns) == chunk.columns and all(isinstance(column, tuple) for column in values)
    return chunk.rows if untouched else list(zip(*values, strict=True))
