"""Which columns have become worth an index: those by which records are looked for again and again.

No column has one from the start, since it would make every upload slower. Measured, building one takes the time of
looking through the table seven times, and an upsert of 16,000 rows by a column without one takes ten times as long.
"""

from __future__ import annotations

from . import ocnql
from .literals import Literal

_PRICE = 100_000
"""Rows that are looked through before an index is thought of."""
_TIMES = 2
"""How often the whole table is looked through before it gets one."""


class Lookups:
    """What looking for values in the columns of one table has cost; `indexed` are those that have an index."""

    def __init__(self) -> None:
        self.indexed: set[str] = set()
        self._passed: dict[str, int] = {}

    def note(self, column: str, rows: int) -> bool:
        """Note that a table of so many rows is looked through for a value; whether an index is worth its price now."""
        self._passed[column] = passed = self._passed.get(column, 0) + rows
        return passed > max(_PRICE, _TIMES * rows)

    def forget(self) -> set[str]:
        """Begin anew; return what had an index."""
        indexed, self.indexed, self._passed = self.indexed, set(), {}
        return indexed


def looked_up(where: ocnql.Expr | None) -> str | None:
    """The first field of which a condition wants one certain text, by which alone all records can be found."""
    match where:
        case ocnql.And(terms):
            return next((field for term in terms if (field := looked_up(term))), None)
        case ocnql.Comparison(field, "=", value):
            literal = Literal.of(value)
            return field if literal.text and not (literal.boolean or literal.date) else None
        case _:
            return None
