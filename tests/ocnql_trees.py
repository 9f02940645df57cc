"""Hypothesis strategies: filters and records that are likely to meet, with every nasty value we know of."""

from __future__ import annotations

from hypothesis import strategies as st

from pytest_ocbulk.emulator.ocnql import And, Comparison, Expr, In, IsNull, Like, Not, Or, Value

FIELDS = ("a", "b", "Parent.Name", "a[*].c", "with blank", "tick`", 'quote"', "order", "2nd", "42", "é")

TEXTS = (
    "", "a", "A", "ab", "aBc", "a_c", "a\\c", "%", "_", "é", "É", "ab\0c", "\0", "'", "''", '"', "`", ";--", "\\",
    "'; drop table t; --", "null", "true", "True", "FALSE", "truE ", "42", "42.0", "042", " 42 ", "+42", "4.2e1",
    "-1", ".5", "5.", "1e400", "0x2a", "1_0", "inf", "nan", "٤٢", "9", "10", "9223372036854775808",
    "2015-10-22", "2015-10-22T00:00:00Z", "2015-10-22 16:40:09", "2015-10-22T16:40:09.563", "2015-10-20T10:00Z",
    "2015-10-22T16:40:09.563000Z", "2015-10-22T18:40:09.563+02:00", "2015-10-22T23:40:09-0700", "2015-10-2",
    "2015-10-23", "2015-10-22é", "2015-13-45T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2015-10-29T24:00",
)  # fmt: skip
NUMBERS = (0, 1, -1, 9, 10, 42, 42.0, 42.5, 0.5, -0.0, 2**53 + 1, 2.0**53, 2**63 - 1, -(2**63), 1e300)

# A NUL or a lone surrogate is refused in a query (`ocnql_tokens`), and SQLite cannot hold a surrogate at all.
query_texts = st.sampled_from([text for text in TEXTS if "\0" not in text]) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4
)
stored_texts = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
numbers = st.sampled_from(NUMBERS) | st.integers(-20, 50) | st.floats(-50, 50, width=16)

values: st.SearchStrategy[Value] = query_texts | numbers | st.booleans()
patterns = query_texts | st.text("aAbB%_\\é0", max_size=6)


def fields(names: tuple[str, ...] = FIELDS) -> st.SearchStrategy[str]:
    """Names of fields; few of them, so that filters and records meet."""
    return st.sampled_from(names)


def trees(names: tuple[str, ...] = FIELDS) -> st.SearchStrategy[Expr]:
    """Filters of any shape over these fields."""
    field = fields(names)
    tests: st.SearchStrategy[Expr] = st.one_of(
        st.builds(Comparison, field, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), values),
        st.builds(Like, field, patterns, st.booleans()),
        st.builds(In, field, st.lists(values, min_size=1, max_size=4).map(tuple), st.booleans()),
        st.builds(IsNull, field, st.booleans()),
    )
    return st.recursive(tests, _joined, max_leaves=6)


def _joined(terms: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(terms, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, terms) | st.builds(And, several) | st.builds(Or, several)


def records(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, object]]:
    """Records with some of these fields, as the store may hold them."""
    stored = (
        stored_texts | numbers | st.booleans() | st.none() | st.sampled_from([[1, "a"], {"a": "true"}, []])
    )
    return st.dictionaries(st.sampled_from(names), stored)
