"""A query as a small frozen tree, which prints itself in the query language: what it prints parses to an equal tree."""

from __future__ import annotations

from dataclasses import dataclass

from .ocnql_tokens import Value, spell_name, spell_value


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`; the operator is one of = != < <= > >=."""

    field: str
    operator: str
    value: Value

    def __str__(self) -> str:
        return f"{spell_name(self.field)} {self.operator} {spell_value(self.value)}"


@dataclass(frozen=True, slots=True)
class Like:
    """`field [not] like pattern`; in the pattern only `%` is special."""

    field: str
    pattern: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{spell_name(self.field)} {'not ' * self.negated}like {spell_value(self.pattern)}"


@dataclass(frozen=True, slots=True)
class In:
    """`field [not] in (value, ...)`."""

    field: str
    values: tuple[Value, ...]
    negated: bool = False

    def __str__(self) -> str:
        values = ", ".join(map(spell_value, self.values))
        return f"{spell_name(self.field)} {'not ' * self.negated}in ({values})"


@dataclass(frozen=True, slots=True)
class IsNull:
    """`field is [not] null`."""

    field: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{spell_name(self.field)} is {'not ' * self.negated}null"


@dataclass(frozen=True, slots=True)
class Not:
    """`not term`."""

    term: Expr

    def __str__(self) -> str:
        return f"not {_grouped(self.term, (And, Or))}"


@dataclass(frozen=True, slots=True)
class And:
    """`term and term ...`, two or more."""

    terms: tuple[Expr, ...]

    def __str__(self) -> str:
        return " and ".join(_grouped(term, (And, Or)) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Or:
    """`term or term ...`, two or more."""

    terms: tuple[Expr, ...]

    def __str__(self) -> str:
        return " or ".join(_grouped(term, (Or,)) for term in self.terms)


Expr = Comparison | Like | In | IsNull | Not | And | Or
"""A filter."""


@dataclass(frozen=True, slots=True)
class Order:
    """One field of an ordering."""

    field: str
    descending: bool = False

    def __str__(self) -> str:
        return f"{spell_name(self.field)} {'desc' if self.descending else 'asc'}"


@dataclass(frozen=True, slots=True)
class Select:
    """A whole query. No `fields` means `*`; `limit` is a number of records, None for all."""

    fields: tuple[str, ...]
    object: str
    where: Expr | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None

    def __str__(self) -> str:
        text = f"select {', '.join(map(spell_name, self.fields)) or '*'} from {spell_name(self.object)}"
        text += f" where {self.where}" if self.where else ""
        text += f" order by {', '.join(map(str, self.order))}" if self.order else ""
        return text + (f" limit {self.limit}" if self.limit is not None else "")


def _grouped(term: Expr, kinds: tuple[type, ...]) -> str:
    return f"({term})" if isinstance(term, kinds) else str(term)
