"""A filter in SQLite's SQL, with bound values: it finds what `predicate.evaluate` says.

In the store (columns without affinity): text is TEXT, numbers are INTEGER or REAL, missing is NULL, everything else
is a BLOB of JSON. SQLite sorts NULL, numbers, TEXT, BLOB in that order, which is why the ranges below are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized

from . import ocnql
from .literals import Literal, canonical

_Sql = tuple[str, list[object]]
"""A condition, and the values for its placeholders in order."""

Column = Callable[[str], str]
"""Field name to an SQL expression for its value: an identifier, a call or a parenthesis, without TEXT affinity.

It may raise; what it raises goes to the caller.
"""


def to_sql(expr: ocnql.Expr, column: Column) -> tuple[str, list[object]]:
    """A condition for a WHERE, in parentheses where it needs them, and the values for its placeholders in order.

    `column` is asked for each field of the filter. Values are bound, never written into the SQL.
    """
    match expr:
        case ocnql.And(terms):
            return _joined("AND", (to_sql(term, column) for term in _deepest_first(terms)))
        case ocnql.Or(terms):
            return _joined("OR", (to_sql(term, column) for term in _deepest_first(terms)))
        case ocnql.Not(term):
            sql, values = to_sql(term, column)
            return f"({sql} IS NOT TRUE)", values
        case ocnql.IsNull(field, negated):
            return f"({column(field)} IS {'NOT ' * negated}NULL)", []
        case _:
            return _test_sql(expr, column(expr.field))


def parsed_where(text: str | None, column: Column) -> ocnql.Expr | None:
    """The filter that a text is, None for an empty one; `column`, asked for each field of it, refuses by raising."""
    if not text or not text.strip():
        return None
    where = ocnql.parse_where(text)
    to_sql(where, column)
    return where


def order_sql(order: Iterable[ocnql.Order], column: Column) -> str:
    """The terms after ORDER BY, or nothing: missing values first, then numbers, text by code point, the rest."""
    return ", ".join(f"{column(each.field)} {'DESC' if each.descending else 'ASC'}" for each in order)


def _test_sql(test: ocnql.Comparison | ocnql.Like | ocnql.In, col: str) -> _Sql:
    match test:
        case ocnql.Like(_, pattern, negated):
            return _negated(col, negated, _like_sql(col, pattern))
        case ocnql.In(_, literals, negated):
            return _negated(col, negated, _equal_sql(col, [Literal.of(each) for each in literals]))
        case ocnql.Comparison(_, ("=" | "!=") as sign, literal):
            return _negated(col, sign == "!=", _equal_sql(col, [Literal.of(literal)]))
        case ocnql.Comparison(_, sign, literal):
            return _ordered_sql(col, sign, Literal.of(literal))


def _deepest_first(terms: Iterable[ocnql.Expr]) -> list[ocnql.Expr]:
    """An order that keeps the stack of SQLite's parser low (100 entries before 3.46): `a AND (` takes three of them."""
    return sorted(terms, key=_height, reverse=True)


def _height(expr: ocnql.Expr) -> int:
    match expr:
        case ocnql.And(terms) | ocnql.Or(terms):
            return 1 + max(map(_height, terms))
        case ocnql.Not(term):
            return 1 + _height(term)
        case _:
            return 0


def _joined(word: str, parts: Iterable[_Sql]) -> _Sql:
    conditions = list(parts)
    sql = f" {word} ".join(sql for sql, _ in conditions)
    return f"({sql})" if len(conditions) > 1 else sql, [value for _, values in conditions for value in values]


def _negated(col: str, negated: bool, positive: _Sql) -> _Sql:
    sql, values = positive
    return (f"({col} IS NOT NULL AND NOT {sql})", values) if negated else positive


def _equal_sql(col: str, literals: list[Literal]) -> _Sql:
    """Equal to one of the literals. Each way of being equal is one condition for all of them: lists may be long."""
    exact: list[object] = [each.text for each in literals if each.text is not None]
    exact += [each.number for each in literals if each.text is not None and each.number is not None]
    booleans = list(dict.fromkeys(each.boolean for each in literals if each.boolean))
    exact += [word.encode() for word in booleans]
    numbers: list[object] = [each.number for each in literals if each.text is None]
    dates = [each.date for each in literals if each.date]
    parts: list[_Sql] = [(f"{col} = ? COLLATE NOCASE", [word]) for word in booleans]
    if exact:
        parts.append((f"{col} = ?" if len(exact) == 1 else f"{col} IN ({_marks(exact)})", exact))
    if numbers:
        # CAST gives the right side numeric affinity; comparing then reads text that spells a number, and only such.
        parts.append((f"{col} IN (VALUES {_marks(numbers, '(CAST(? AS NUMERIC))')})", numbers))
    if dates:
        days, instants = [date[:10] for date in dates], [canonical(date) for date in dates]
        sql = f"(substr({col}, 1, 10) IN ({_marks(days)}) AND {_canonical_sql(col)} IN ({_marks(instants)}))"
        parts.append((sql, [*days, *instants]))
    sql, values = _joined("OR", parts)
    return sql if len(parts) > 1 else f"({sql})", values


def _marks(values: Sized, mark: str = "?") -> str:
    return ", ".join([mark] * len(values))


def _ordered_sql(col: str, sign: str, literal: Literal) -> _Sql:
    if literal.text is None:
        upper = f" AND {col} <= CAST(9e999 AS NUMERIC)" if ">" in sign else ""
        return f"({col} {sign} CAST(? AS NUMERIC){upper})", [literal.number]
    sql, values = _ordered_text_sql(col, sign, literal.text, literal.date)
    if literal.number is None:
        return sql, values
    upper = f" AND {col} < ''" if ">" in sign else ""
    return f"({sql} OR {col} {sign} ?{upper})", [*values, literal.number]


def _ordered_text_sql(col: str, sign: str, text: str, date: str | None) -> _Sql:
    """Between the smallest text and the smallest BLOB, so that nothing but text is found."""
    sql, values = _ordered_date_sql(col, sign, date) if date else (f"{col} {sign} ?", [text])
    bound = f"{col} < x''" if ">" in sign else f"{col} >= ''"
    return f"({sql} AND {bound})", [*values]


def _ordered_date_sql(col: str, sign: str, date: str) -> tuple[str, list[str]]:
    """Plain comparison decides every other day; only text of the literal's own day is brought to canonical form."""
    day, after = date[:10], date[:9] + chr(ord(date[9]) + 1)
    within = f"{_canonical_sql(col)} {sign} ?"
    if ">" in sign:
        return f"{col} >= ? AND ({col} >= ? OR {within})", [day, after, canonical(date)]
    return f"{col} < ? AND ({col} < ? OR {within})", [after, day, canonical(date)]


def _canonical_sql(col: str) -> str:
    return f"rtrim(replace({col}, ' ', 'T'), 'TZ:.0')"


def _like_sql(col: str, pattern: str) -> _Sql:
    escape = ""
    if "_" in pattern:
        pattern, escape = pattern.replace("\\", "\\\\").replace("_", "\\_"), " ESCAPE '\\'"
    return f"({col} LIKE ?{escape} AND typeof({col}) IN ('text', 'integer'))", [pattern]
