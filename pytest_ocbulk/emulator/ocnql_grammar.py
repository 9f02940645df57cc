"""The parser of the query language: text in, a small frozen tree out, or an error that names the place.

Grammar (protocol.md 9.3 and 9.4; keywords in any case):

    select     = "select" ("*" | field {"," field}) "from" object {clause}          each clause at most once
    clause     = "where" either | "order" "by" order | "orderby" ["="] order | "limit" whole number
    order      = field ["asc" | "desc"] {"," field ["asc" | "desc"]}
    either     = both {"or" both}
    both       = condition {"and" condition}
    condition  = "not" condition | "(" either ")" | field test
    test       = ("=" | "!=" | "<" | "<=" | ">" | ">=") value | ["not"] "like" text
               | ["not"] "in" "(" value {"," value} ")" | "is" ["not"] "null"
    value      = text in ' or " (doubled to stand for itself) | number | "true" | "false" | bare ISO date

A field or object is a bare name (`Parent.Name`, `a[*].c`, `products/groups`) or any text in backticks. A backslash
is an ordinary character. `not` and the order of the clauses after the object are our reading: no source forbids them.
The limits keep a hostile query from Python's recursion limit and SQLite's expression and variable limits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .ocnql_tokens import END, RESERVED, QueryError, Token, Value, number, tokens
from .ocnql_tree import And, Comparison, Expr, In, IsNull, Like, Not, Or, Order, Select

_Item = TypeVar("_Item")

MAX_DEPTH = 20
"""Parentheses and NOTs inside each other."""
MAX_CONDITIONS = 500
"""Field tests in a query."""
MAX_VALUES = 5_000
"""Values in a query, those of its IN lists counted one by one."""
MAX_PATTERN = 1_000
"""Characters in the text after LIKE."""


class _Parser:
    """Recursive descent, one method for each rule of the grammar; `self.now` is the token to be read next."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self.now = next(self._tokens)
        self.conditions = 0
        self.values = 0

    def refusal(self, expected: str) -> QueryError:
        return QueryError(expected, self.now.position, self.now.shown)

    def take(self) -> Token:
        taken = self.now
        self.now = next(self._tokens, taken)
        return taken

    def skip(self, word: str) -> bool:
        """Take the next token if it is this keyword or sign."""
        found = self.now.word == word
        if found:
            self.take()
        return found

    def expect(self, word: str) -> None:
        if not self.skip(word):
            raise self.refusal(f"'{word}'")

    def end(self, expected: str) -> None:
        if self.now.kind != END:
            raise self.refusal(expected)

    def name(self, what: str) -> str:
        """A field or an object."""
        token = self.now
        if token.kind == "name" and token.word not in RESERVED:
            return self.take().text
        if token.kind == "quoted" and token.unquoted:
            return self.take().unquoted
        raise self.refusal(f"{what} (a plain name or one in backticks)")

    def several(self, item: Callable[[], _Item], joint: str = ",") -> tuple[_Item, ...]:
        """One item or more with a sign or keyword between them."""
        items = [item()]
        while self.skip(joint):
            items.append(item())
        return tuple(items)

    def either(self, depth: int = 0) -> Expr:
        terms = self.several(lambda: self.both(depth), "or")
        return Or(terms) if len(terms) > 1 else terms[0]

    def both(self, depth: int) -> Expr:
        terms = self.several(lambda: self.condition(depth), "and")
        return And(terms) if len(terms) > 1 else terms[0]

    def condition(self, depth: int) -> Expr:
        if depth == MAX_DEPTH and self.now.word in ("not", "("):
            raise self.refusal(f"at most {MAX_DEPTH} parentheses and NOTs inside each other")
        if self.skip("not"):
            return Not(self.condition(depth + 1))
        if self.skip("("):
            inner = self.either(depth + 1)
            self.expect(")")
            return inner
        return self.test(self.name("a field"))

    def test(self, field: str) -> Expr:
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise self.refusal(f"at most {MAX_CONDITIONS} conditions in a query")
        if self.now.word in ("=", "!=", "<", "<=", ">", ">="):
            return Comparison(field, self.take().text, self.value())
        if self.skip("is"):
            negated = self.skip("not")
            self.expect("null")
            return IsNull(field, negated)
        negated = self.skip("not")
        if self.skip("like"):
            return Like(field, self.pattern(), negated)
        if self.skip("in"):
            return In(field, self.alternatives(), negated)
        raise self.refusal(
            "LIKE or IN" if negated else "an operator (=, !=, <, <=, >, >=, LIKE, IN, IS NULL)"
        )

    def alternatives(self) -> tuple[Value, ...]:
        self.expect("(")
        values = self.several(self.value)
        if not self.skip(")"):
            raise self.refusal("',' or ')'")
        return values

    def value(self) -> Value:
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.refusal(f"at most {MAX_VALUES} values in a query")
        kind, text, word = self.now.kind, self.now.text, self.now.word
        if kind == "text":
            return self.take().unquoted
        if kind == "date":
            return self.take().text
        if kind == "number" and (read := number(text)) is not None:
            self.take()
            return read
        if word in ("true", "false"):
            return self.take().word == "true"
        raise self.refusal("a value (text in quotes, a number, a date, true or false)")

    def pattern(self) -> str:
        if self.now.kind != "text":
            raise self.refusal("a pattern (text in quotes, % for any characters)")
        if len(self.now.unquoted) > MAX_PATTERN:
            raise self.refusal(f"a pattern of at most {MAX_PATTERN} characters")
        return self.take().unquoted

    def order(self) -> tuple[Order, ...]:
        return self.several(self.direction)

    def direction(self) -> Order:
        field = self.name("a field")
        return Order(field, self.skip("desc") or (self.skip("asc") and False))

    def limit(self) -> int:
        read = number(self.now.text) if self.now.kind == "number" else None
        if not isinstance(read, int) or read < 0:
            raise self.refusal("a whole number of records")
        self.take()
        return read

    def select(self) -> Select:
        self.expect("select")
        fields = () if self.skip("*") else self.several(lambda: self.name("a field"))
        self.expect("from")
        return self.clauses(fields, self.name("an object"))

    def clauses(self, fields: tuple[str, ...], object_name: str) -> Select:
        where, order, limit = None, None, None
        while self.now.kind != END:
            if where is None and self.skip("where"):
                where = self.either()
            elif order is None and self.ordering():
                order = self.order()
            elif limit is None and self.skip("limit"):
                limit = self.limit()
            else:
                clauses = (("'where'", where), ("'order by'", order), ("'limit'", limit))
                left = ", ".join(word for word, found in clauses if found is None)
                raise self.refusal(f"{left} or the end of the query" if left else "the end of the query")
        return Select(fields, object_name, where, order or (), limit)

    def ordering(self) -> bool:
        """`order by` or `orderby`, the latter also with `=` (protocol.md 9.4)."""
        if self.skip("order"):
            self.expect("by")
            return True
        return self.skip("orderby") and (self.skip("=") or True)


def parse_where(text: str) -> Expr:
    """Read a filter such as `name = 'Ann' and id in (1, 2)`. Raises `QueryError`, also for an empty text."""
    parser = _Parser(text)
    expr = parser.either()
    parser.end("'and', 'or' or the end of the query")
    return expr


def parse_select(text: str) -> Select:
    """Read a query such as `select id, name from contact where ... order by name limit 10`. Raises `QueryError`."""
    return _Parser(text).select()


def parse_order(text: str) -> tuple[Order, ...]:
    """Read an ordering such as `LastName asc, id desc`; ascending when not said. Raises `QueryError`."""
    parser = _Parser(text)
    order = parser.order()
    parser.end("',', 'asc', 'desc' or the end of the query")
    return order
