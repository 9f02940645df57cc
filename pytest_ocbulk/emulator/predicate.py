r"""What a filter means: `evaluate` says it in Python, `predicate_sql.py` says the same in SQL.

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
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from . import ocnql
from .literals import Literal, canonical
from .ocnql_tokens import number

_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def evaluate(expr: ocnql.Expr, record: Mapping[str, object]) -> bool:
    """Whether a record (field name to str, int, float, bool, list, dict or None; absent is None) fits a filter."""
    match expr:
        case ocnql.And(terms):
            return all(evaluate(term, record) for term in terms)
        case ocnql.Or(terms):
            return any(evaluate(term, record) for term in terms)
        case ocnql.Not(term):
            return not evaluate(term, record)
        case ocnql.IsNull(field, negated):
            return (record.get(field) is None) != negated
        case _:
            value = record.get(expr.field)
            return value is not None and _fits(expr, value)


def _fits(test: ocnql.Comparison | ocnql.Like | ocnql.In, value: object) -> bool:
    match test:
        case ocnql.Like(_, pattern, negated):
            return _like(value, pattern) != negated
        case ocnql.In(_, values, negated):
            return any(_equal(value, Literal.of(each)) for each in values) != negated
        case ocnql.Comparison(_, ("=" | "!=") as sign, literal):
            return _equal(value, Literal.of(literal)) == (sign == "=")
        case ocnql.Comparison(_, sign, literal):
            return _ordered(value, Literal.of(literal), _ORDERINGS[sign])


def _equal(value: object, literal: Literal) -> bool:
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
    return date is not None and _same_day(value, date) and canonical(value) == canonical(date)


def _ordered(value: object, literal: Literal, compare: Callable[[Any, Any], bool]) -> bool:
    if isinstance(value, str) and literal.text is None:
        value = number(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return literal.number is not None and compare(value, literal.number)
    if not isinstance(value, str):
        return False
    if literal.date and _same_day(value, literal.date):
        return compare(canonical(value), canonical(literal.date))
    return compare(value, literal.date or literal.text)


def _same_day(one: str, other: str) -> bool:
    return one[:10] == other[:10]


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
