"""Which records of a collection are meant, and the SQL that finds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .predicate_sql import to_sql

if TYPE_CHECKING:
    from .ocnql import Expr


class Selection(NamedTuple):
    """Which records: a condition, bounds on the time of change (ms), and what is visible at `now` (ms)."""

    where: Expr | None = None
    changed_from: int | None = None
    changed_to: int | None = None
    now: int | None = None

    def is_everything(self, *, hidden: bool) -> bool:
        """Whether every record is meant; `hidden`: there are records that are not visible from the beginning."""
        bounds = (self.where, self.changed_from, self.changed_to)
        return bounds == (None, None, None) and not (hidden and self.now is not None)

    def condition(
        self, column: Callable[[str], str], *, hidden: bool, after: int | None = None
    ) -> tuple[str, list[Any]]:
        """The SQL behind the table's name, and the values it binds: these records, behind row id `after`.

        `column` gives the SQL for a column; `hidden` as for `is_everything`.
        """
        parts: list[str] = []
        values: list[Any] = []
        if after is not None:
            parts.append("_seq > ?")
            values.append(after)
        if self.where is not None:
            sql, bound = to_sql(self.where, column)
            parts.append(f"({sql})")
            values += bound
        for bound_at, test in ((self.changed_from, ">="), (self.changed_to, "<=")):
            if bound_at is not None:
                parts.append(f"_updated {test} ?")
                values.append(bound_at)
        if hidden and self.now is not None:
            parts.append("(_visible IS NULL OR _visible <= ?)")
            values.append(self.now)
        return (" WHERE " + " AND ".join(parts) if parts else ""), values


EVERYTHING = Selection()
