"""The query language of the service: text in, a small frozen tree out, or an error that names the place.

`parse_where` reads a filter, `parse_select` a whole query, `parse_order` an ordering; the parser is in
`ocnql_grammar.py`, the tree in `ocnql_tree.py`. What a tree *means* is in `predicate.py`; nothing here knows records or
SQL. All of it is loaded when the first name is used: most fakes are never asked a query.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ocnql_grammar import parse_order, parse_select, parse_where
    from .ocnql_tokens import QueryError, Value
    from .ocnql_tree import And, Comparison, Expr, In, IsNull, Like, Not, Or, Order, Select

__all__ = [
    "And", "Comparison", "Expr", "In", "IsNull", "Like", "Not", "Or", "Order", "QueryError", "Select", "Value",
    "parse_order", "parse_select", "parse_where",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(".ocnql_grammar", __package__), name)
    return value
