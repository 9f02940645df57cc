"""Rows that are wrong on purpose, and what the service will say about each.

Two sorts: a bad value fails its row (an error item), a bad form breaks the file at that row (the job is
ABORTED, rows after it are never read). The texts of bad values come from the core's own checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from pytest_ocbulk.emulator.checks import check_column, conflict
from pytest_ocbulk.emulator.connectors import FieldDefinition
from pytest_ocbulk.emulator.errors import OcBulkError, nearest

from .recipes import RECIPES, Recipe

BAD_KINDS: Mapping[str, str] = {
    "email": "a malformed e-mail address",
    "missing": "a required value left empty",
    "duplicate": "a key repeated from an earlier row",
    "too_long": "a value one character too long",
    "type": "letters in a column of numbers",
    "quoting": "a quote that is never closed; breaks the file at its last row",
    "extra_column": "one cell more than the header; breaks the file",
    "nul": "a NUL character in a value; breaks the file",
    "surrogate": "bytes that are not UTF-8 (a lone surrogate); breaks the file",
}
"""The kinds of defects and what each does to its row."""

_BREAKS = {
    "quoting": "unclosed quote",
    "extra_column": "expected {expected} columns as in the header, got {got}",
    "nul": "contains a NUL character",
    "surrogate": "not valid UTF-8",
}


@dataclass(frozen=True, slots=True)
class Defect:
    """One row that is wrong.

    `row` counts from 1, without the header; `at` is the position of the column, `field` what it must
    satisfy, `value` what it gets.
    """

    row: int
    kind: str
    at: int
    field: FieldDefinition
    value: str

    @property
    def breaks_the_file(self) -> bool:
        """Whether the service cannot read on from here."""
        return self.kind in _BREAKS

    @property
    def status(self) -> str:
        """The text of the row's error item."""
        if self.kind == "duplicate":
            return conflict(self.field.name)
        return check_column(self.field, [self.value])[1][0]

    def abort(self, columns: int) -> str:
        """The job's `error` when this defect breaks a file of so many columns."""
        return f"Row {self.row}: " + _BREAKS[self.kind].format(expected=columns, got=columns + 1)


def plan_defects(
    rows: Sequence[Sequence[str]], bad: Mapping[str, int], recipe: Recipe, rng: Random
) -> list[Defect]:
    """Choose rows for the defects asked for, never the first, and the value each will have.

    Raises `OcBulkError` for an unknown kind, one that the object cannot have, or more than the file can hold.
    """
    kinds = _checked(bad, recipe, len(rows))
    places = rng.sample(range(2, len(rows) + 1), len(kinds))
    if "quoting" in kinds:
        # At the very end of the file: a later quote would close it, and another error would be found.
        places = [*rng.sample(range(2, len(rows)), len(kinds) - 1), len(rows)]
        kinds.append(kinds.pop(kinds.index("quoting")))
    defects: list[Defect] = []
    for row, kind in sorted(zip(places, kinds, strict=True)):
        at, field = _suited(kind, recipe)[-1 if kind == "quoting" else 0]
        taken = rows[_good_row_before(row, set(places), rng) - 1][at]
        defects.append(Defect(row, kind, at, field, _spoiled(kind, rows[row - 1][at], taken, field)))
    return defects


def _good_row_before(row: int, bad_rows: set[int], rng: Random) -> int:
    while (earlier := rng.randrange(1, row)) in bad_rows:
        pass  # the first row is never bad, so this ends
    return earlier


def _checked(bad: Mapping[str, int], recipe: Recipe, rows: int) -> list[str]:
    """The kinds to place, each as often as asked for, in the order of the table."""
    if not _are_counts(bad):
        raise OcBulkError(f"bad says how many rows of each kind, like {{'email': 2}}, got {bad!r}")
    for kind, count in bad.items():
        if kind not in BAD_KINDS:
            raise OcBulkError(f"bad: unknown kind {kind!r}{nearest(kind, BAD_KINDS)}")
        if count < 0:
            raise OcBulkError(f"bad: the number of {kind!r} rows cannot be negative, got {count}")
        if count and not _suited(kind, recipe):
            having = ", ".join(str(other) for other in RECIPES.values() if _suited(kind, other))
            raise OcBulkError(f"bad: {recipe} has no column for {kind!r}; objects that have one: {having}")
    kinds = [kind for kind in BAD_KINDS for _ in range(bad.get(kind, 0))]
    breaking = [kind for kind in kinds if kind in _BREAKS]
    if len(breaking) > 1:
        raise OcBulkError(
            f"bad: one defect breaks the whole file, so ask for one only; got {', '.join(breaking)}"
        )
    if kinds and len(kinds) >= rows:
        raise OcBulkError(
            f"bad: {len(kinds)} bad rows need at least {len(kinds) + 1} contacts, since the first stays good; "
            f"got {rows}"
        )
    return kinds


def _are_counts(bad: object) -> bool:
    return isinstance(bad, Mapping) and all(type(count) is int for count in bad.values())


def _suited(kind: str, recipe: Recipe) -> list[tuple[int, FieldDefinition]]:
    """The columns that can have a defect of this kind, with their positions."""
    suits = _SUITS.get(kind, _is_plain)
    return [(at, field) for at, field in enumerate(recipe.fields) if suits(field, recipe)]


def _is_plain(field: FieldDefinition, recipe: Recipe) -> bool:
    return field.type == "string" and field.format is None and field.name not in recipe.keys


_SUITS: dict[str, Callable[[FieldDefinition, Recipe], bool]] = {
    "email": lambda field, _: field.format == "email",
    "missing": lambda field, _: field.required,
    "duplicate": lambda field, recipe: field.name in recipe.keys,
    "too_long": lambda field, recipe: field.max_length is not None and _is_plain(field, recipe),
    "type": lambda field, _: field.type != "string",
}


def _spoiled(kind: str, value: str, taken: str, field: FieldDefinition) -> str:
    limit = field.max_length or 0
    return {
        "email": value.replace("@", " at "),
        "missing": "",
        "duplicate": taken,
        "too_long": (value * limit)[:limit] + "x",
        "type": f"x{value}",
        "nul": f"{value[:1]}\0{value[1:]}",
        "surrogate": f"{value}\ud800",
    }.get(kind, value)
