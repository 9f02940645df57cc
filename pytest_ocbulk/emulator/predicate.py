r"""What a filter means: `evaluate` says it in Python, `to_sql` says the same in SQLite's SQL with bound values.

A stored value is text, a number, true/false, a list or an object, or missing (null and absent are one).
The sources name the operators and no more, so these rules are ours; they follow what SQL Server does.

Missing     Every test of a missing value is false, `!=`, `not in` and `not like` too; only `is null` finds it.
            There is no third truth value: `not (x = 1)` is true where `x = 1` is false, so also where x is missing.
Numbers     A bare number compares as a number, with stored numbers and with text that spells one ('10' > 9); other
            text never matches. A literal in quotes compares with text as text ('10' < '9'), and if it spells a
            number also with stored numbers as a number: `id = '42'` finds 42 and '42', `id = 42` finds '042' too.
Text        `=` heeds case; order is by code point. Text and numbers are never smaller or greater than each other.
Booleans    true, 'TRUE' and the like equal stored true and the text in any case; they are not ordered as booleans.
Dates       A literal of ISO form, bare or quoted, compares with text of the same day as instants written alike: a
            blank is a T, a Z and trailing zeros do not count, the literal's offset is turned into UTC; all other
            text compares as text. So '2024-01-01T00:00:00Z' equals '2024-01-01 00:00:00.000', while the offset of a
            *stored* date is not calculated. Epoch numbers are numbers.
LIKE        `%` stands for any characters, `_` and `\` for themselves; A-Z and a-z are alike, other letters are not
            (SQLite's LIKE). It looks at text, up to a NUL in it, and at whole numbers.
Lists       and objects are not missing, hence `!=` to anything; no other test but `is not null` finds them.

In the store (columns without affinity): text is TEXT, numbers are INTEGER or REAL, missing is NULL, everything else
is a BLOB of JSON. SQLite sorts NULL, numbers, TEXT, BLOB in that order, which is why the ranges below are bounded.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .ocnql import And, Comparison, Expr, In, IsNull, Like, Not, Or, Order, Value
from .ocnql_tokens import is_date, number

_Sql = tuple[str, list[object]]
"""A condition, and the values for its placeholders in order."""

Column = Callable[[str], str]
"""Field name to an SQL expression for its value: an identifier, a call or a parenthesis, without TEXT affinity.

It may raise; what it raises goes to the caller.
"""

_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class _Literal:
    """A literal read in every way that the rules above know: None where it cannot be read so."""

    text: str | None
    number: int | float | None
    boolean: str | None = None
    date: str | None = None

    @classmethod
    def of(cls, value: Value) -> _Literal:
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(value, str):
            return cls(None, _bindable(value))
        word = value.lower() if value.lower() in ("true", "false") else None
        return cls(value, number(value), word, _utc(value) if is_date(value) else None)


def _bindable(value: int | float) -> int | float:
    """An integer beyond SQLite's 64 bits becomes a float."""
    return value if isinstance(value, float) or -(2**63) <= value < 2**63 else float(value)


def _utc(date: str) -> str | None:
    """An ISO date without its offset; None when it has one but is not on the calendar."""
    zoned = re.fullmatch(r"([^.]+?)(\.\d+)?([+-]\d\d:?\d\d)", date)
    if not zoned:
        return date
    local, fraction, offset = zoned.groups("")
    try:
        instant = datetime.fromisoformat(local + offset).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant.replace(tzinfo=None).isoformat() + fraction


# ---- in Python


def evaluate(expr: Expr, record: Mapping[str, object]) -> bool:
    """Whether a record (field name to str, int, float, bool, list, dict or None; absent is None) fits a filter."""
    match expr:
        case And(terms):
            return all(evaluate(term, record) for term in terms)
        case Or(terms):
            return any(evaluate(term, record) for term in terms)
        case Not(term):
            return not evaluate(term, record)
        case IsNull(field, negated):
            return (record.get(field) is None) != negated
        case _:
            value = record.get(expr.field)
            return value is not None and _fits(expr, value)


def _fits(test: Comparison | Like | In, value: object) -> bool:
    match test:
        case Like(_, pattern, negated):
            return _like(value, pattern) != negated
        case In(_, values, negated):
            return any(_equal(value, _Literal.of(each)) for each in values) != negated
        case Comparison(_, ("=" | "!=") as sign, literal):
            return _equal(value, _Literal.of(literal)) == (sign == "=")
        case Comparison(_, sign, literal):
            return _ordered(value, _Literal.of(literal), _ORDERINGS[sign])


def _equal(value: object, literal: _Literal) -> bool:
    if isinstance(value, bool):
        return literal.boolean == ("true" if value else "false")
    if isinstance(value, int | float):
        return literal.number is not None and value == literal.number
    if not isinstance(value, str):
        return False
    if literal.text is None:
        return number(value) == literal.number
    if value == literal.text or value.lower() == literal.boolean:
        return True
    date = literal.date
    return date is not None and _same_day(value, date) and _canonical(value) == _canonical(date)


def _ordered(value: object, literal: _Literal, compare: Callable[[Any, Any], bool]) -> bool:
    if isinstance(value, str) and literal.text is None:
        value = number(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return literal.number is not None and compare(value, literal.number)
    if not isinstance(value, str):
        return False
    if literal.date and _same_day(value, literal.date):
        return compare(_canonical(value), _canonical(literal.date))
    return compare(value, literal.date or literal.text)


def _same_day(one: str, other: str) -> bool:
    return one[:10] == other[:10]


def _canonical(date: str) -> str:
    """A date in the one form in which equal instants are equal text and earlier ones are smaller text."""
    return date.replace(" ", "T").rstrip("TZ:.0")


def _like(value: object, pattern: str) -> bool:
    """Literal pieces, found one after the other: no regular expression, so no pattern is slow."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    # bytes.lower folds A-Z only, as SQLite does.
    rest = str(value).partition("\0")[0].encode(errors="surrogatepass").lower()
    first, *pieces = pattern.encode(errors="surrogatepass").lower().split(b"%")
    if not pieces:
        return rest == first
    if not rest.startswith(first):
        return False
    rest, last = rest[len(first) :], pieces.pop()
    for piece in pieces:
        _, found, rest = rest.partition(piece) if piece else ("", "%", rest)
        if not found:
            return False
    return rest.endswith(last)


# ---- in SQL


def to_sql(expr: Expr, column: Column) -> tuple[str, list[object]]:
    """A condition for a WHERE, in parentheses where it needs them, and the values for its placeholders in order.

    `column` is asked for each field of the filter. Values are bound, never written into the SQL.
    """
    match expr:
        case And(terms):
            return _joined("AND", (to_sql(term, column) for term in _deepest_first(terms)))
        case Or(terms):
            return _joined("OR", (to_sql(term, column) for term in _deepest_first(terms)))
        case Not(term):
            sql, values = to_sql(term, column)
            return f"({sql} IS NOT TRUE)", values
        case IsNull(field, negated):
            return f"({column(field)} IS {'NOT ' * negated}NULL)", []
        case _:
            return _test_sql(expr, column(expr.field))


def order_sql(order: Iterable[Order], column: Column) -> str:
    """The terms after ORDER BY, or nothing: missing values first, then numbers, text by code point, the rest."""
    return ", ".join(f"{column(each.field)} {'DESC' if each.descending else 'ASC'}" for each in order)


def _test_sql(test: Comparison | Like | In, col: str) -> _Sql:
    match test:
        case Like(_, pattern, negated):
            return _negated(col, negated, _like_sql(col, pattern))
        case In(_, literals, negated):
            return _negated(col, negated, _equal_sql(col, [_Literal.of(each) for each in literals]))
        case Comparison(_, ("=" | "!=") as sign, literal):
            return _negated(col, sign == "!=", _equal_sql(col, [_Literal.of(literal)]))
        case Comparison(_, sign, literal):
            return _ordered_sql(col, sign, _Literal.of(literal))


def _deepest_first(terms: Iterable[Expr]) -> list[Expr]:
    """An order that keeps the stack of SQLite's parser low (100 entries before 3.46): `a AND (` takes three of them."""
    return sorted(terms, key=_height, reverse=True)


def _height(expr: Expr) -> int:
    match expr:
        case And(terms) | Or(terms):
            return 1 + max(map(_height, terms))
        case Not(term):
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


def _equal_sql(col: str, literals: list[_Literal]) -> _Sql:
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
        days, instants = [date[:10] for date in dates], [_canonical(date) for date in dates]
        sql = f"(substr({col}, 1, 10) IN ({_marks(days)}) AND {_canonical_sql(col)} IN ({_marks(instants)}))"
        parts.append((sql, [*days, *instants]))
    sql, values = _joined("OR", parts)
    return sql if len(parts) > 1 else f"({sql})", values


def _marks(values: Sized, mark: str = "?") -> str:
    return ", ".join([mark] * len(values))


def _ordered_sql(col: str, sign: str, literal: _Literal) -> _Sql:
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
    canonical = f"{_canonical_sql(col)} {sign} ?"
    if ">" in sign:
        return f"{col} >= ? AND ({col} >= ? OR {canonical})", [day, after, _canonical(date)]
    return f"{col} < ? AND ({col} < ? OR {canonical})", [after, day, _canonical(date)]


def _canonical_sql(col: str) -> str:
    return f"rtrim(replace({col}, ' ', 'T'), 'TZ:.0')"


def _like_sql(col: str, pattern: str) -> _Sql:
    escape = ""
    if "_" in pattern:
        pattern, escape = pattern.replace("\\", "\\\\").replace("_", "\\_"), " ESCAPE '\\'"
    return f"({col} LIKE ?{escape} AND typeof({col}) IN ('text', 'integer'))", [pattern]
