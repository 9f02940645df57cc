"""The query language: what each text means as a tree, and what each mistake is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ocbulk.emulator.errors import BadRequest
from pytest_ocbulk.emulator.ocnql import (
    And,
    Comparison,
    Expr,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Order,
    QueryError,
    Select,
    parse_order,
    parse_select,
    parse_where,
)

from .ocnql_trees import FIELDS, fields, trees

A1, B2, C3 = (Comparison(name, "=", value) for name, value in (("a", 1), ("b", 2), ("c", 3)))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        # the vendor's own examples and those of its tests and clients, see protocol.md 9.3
        ("Department!='Procurement'", Comparison("Department", "!=", "Procurement")),
        ("Name='Churro''s TestDude'", Comparison("Name", "=", "Churro's TestDude")),
        ("internalId in (1,2)", In("internalId", (1, 2))),
        ('name like "chris"', Like("name", "chris")),
        ("Name LIKE 'Acc%'", Like("Name", "Acc%")),
        ("AnnualRevenue >= 100000", Comparison("AnnualRevenue", ">=", 100000)),
        ("urn='17'", Comparison("urn", "=", "17")),
        (
            "LastModifiedDate>'2018-01-15T00:00:00.000Z' AND (Name='Account Name' OR Industry='Apparel')",
            And(
                (
                    Comparison("LastModifiedDate", ">", "2018-01-15T00:00:00.000Z"),
                    Or((Comparison("Name", "=", "Account Name"), Comparison("Industry", "=", "Apparel"))),
                )
            ),
        ),
        (
            "`metaData.lastUpdateTime` > 2015-01-06T09:31:38-07:00",
            Comparison("metaData.lastUpdateTime", ">", "2015-01-06T09:31:38-07:00"),
        ),
        (
            """query = '(properties["$created"] > "2017")'""",
            Comparison("query", "=", '(properties["$created"] > "2017")'),
        ),
        # the rest of the grammar
        ("a is null", IsNull("a")),
        ("a IS NOT NULL", IsNull("a", negated=True)),
        ("a not in ('x')", In("a", ("x",), negated=True)),
        ("a Not Like 'x'", Like("a", "x", negated=True)),
        ("a = 1 and b = 2 or c = 3", Or((And((A1, B2)), C3))),
        ("a = 1 and (b = 2 or c = 3)", And((A1, Or((B2, C3))))),
        ("a=1 AND b=2 AND c=3", And((A1, B2, C3))),
        ("(a = 1 and b = 2) and c = 3", And((And((A1, B2)), C3))),
        ("not a = 1 and b = 2", And((Not(A1), B2))),
        ("not not (a = 1)", Not(Not(A1))),
        ("((a = 1))", A1),
        ("a = true or b = FALSE", Or((Comparison("a", "=", True), Comparison("b", "=", False)))),
        ("a < -1.5", Comparison("a", "<", -1.5)),
        ("a <= +.5e1", Comparison("a", "<=", 5.0)),
        ("a > 9223372036854775808", Comparison("a", ">", 9223372036854775808.0)),
        ("a = 2015-10-22 16:40:09", Comparison("a", "=", "2015-10-22 16:40:09")),
        ("a = 2015-10-22", Comparison("a", "=", "2015-10-22")),
        ("a = ''", Comparison("a", "=", "")),
        ("a = ''''", Comparison("a", "=", "'")),
        ('a = "say ""hi"""', Comparison("a", "=", 'say "hi"')),
        ("a = 'back\\'", Comparison("a", "=", "back\\")),
        ("`odd `` name` = 1", Comparison("odd ` name", "=", 1)),
        ("`where` = 1", Comparison("where", "=", 1)),
        ("order = 1 and limit = 2", And((Comparison("order", "=", 1), Comparison("limit", "=", 2)))),
        ("a.b[*].c = 1 and d[0] = 2", And((Comparison("a.b[*].c", "=", 1), Comparison("d[0]", "=", 2)))),
        ("2nd = 1", Comparison("2nd", "=", 1)),
        ("\n a\t=\r\n1 ", A1),
        ("Straße = 'ß'", Comparison("Straße", "=", "ß")),
    ],
)
def test_a_filter_is_read(text: str, tree: Expr) -> None:
    assert parse_where(text) == tree


def test_numbers_keep_their_type_and_booleans_are_not_numbers() -> None:
    tree = parse_where("a in (1, 1.0, true, '1')")
    assert isinstance(tree, In)
    assert [type(value) for value in tree.values] == [int, float, bool, str]


WHERE = Comparison("a", "=", 1)
ORDER = (Order("b", descending=True),)


@pytest.mark.parametrize(
    ("text", "select"),
    [
        ("select * from contact", Select((), "contact")),
        ("SELECT id,Parent.Name FROM contact", Select(("id", "Parent.Name"), "contact")),
        ("select * from products/groups", Select((), "products/groups")),
        ("select * from my-object", Select((), "my-object")),
        ("select `a b` from `My Table`", Select(("a b",), "My Table")),
        ("select * from c where a = 1 order by b desc limit 5", Select((), "c", WHERE, ORDER, 5)),
        ("select * from c limit 5 where a = 1 order by b desc", Select((), "c", WHERE, ORDER, 5)),
        ("select * from c where a = 1 LIMIT 5", Select((), "c", WHERE, (), 5)),
        ("select * from c orderby=b", Select((), "c", None, (Order("b"),))),
        ("select * from c orderBy b desc where a = 1", Select((), "c", WHERE, ORDER)),
        ("select * from c order by a asc, b desc", Select((), "c", None, (Order("a"), *ORDER))),
        ("select * from c limit 0", Select((), "c", limit=0)),
        ("select limit from c", Select(("limit",), "c")),
    ],
)  # fmt: skip
def test_a_query_is_read(text: str, select: Select) -> None:
    assert parse_select(text) == select


def test_an_ordering_is_read() -> None:
    assert parse_order("LastName asc, `first name` DESC,id") == (
        Order("LastName"),
        Order("first name", descending=True),
        Order("id"),
    )


NAME = "(a plain name or one in backticks)"
VALUE = "a value (text in quotes, a number, a date, true or false)"
OPERATOR = "an operator (=, !=, <, <=, >, >=, LIKE, IN, IS NULL)"
END = "the end of the query"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("select * contacts", "expected 'from' at position 10, got 'contacts'"),
        ("", f"expected 'select' at position 1, got {END}"),
        ("delete from contacts", "expected 'select' at position 1, got 'delete'"),
        ("select from contacts", f"expected a field {NAME} at position 8, got 'from'"),
        ("select a, from contacts", f"expected a field {NAME} at position 11, got 'from'"),
        ("select * from", f"expected an object {NAME} at position 14, got {END}"),
        ("select * from where a = 1", f"expected an object {NAME} at position 15, got 'where'"),
        ("select * from 'c'", f"expected an object {NAME} at position 15, got 'c'"),
        ("select * from ``", f"expected an object {NAME} at position 15, got ``"),
        ("select * from c d", f"expected 'where', 'order by', 'limit' or {END} at position 17, got 'd'"),
        ("select * from c;", f"expected 'where', 'order by', 'limit' or {END} at position 16, got ';'"),
        ("select * from c limit 1 limit 2", f"expected 'where', 'order by' or {END} at position 25, got 'limit'"),
        ("select * from c where a=1 limit 2 order by b asc c", f"expected {END} at position 50, got 'c'"),
        ("select * from c where a = 1 b", f"expected 'order by', 'limit' or {END} at position 29, got 'b'"),
        ("select * from c order a", "expected 'by' at position 23, got 'a'"),
        ("select * from c limit ten", "expected a whole number of records at position 23, got 'ten'"),
        ("select * from c limit -1", "expected a whole number of records at position 23, got '-1'"),
        ("select * from c limit 1.5", "expected a whole number of records at position 23, got '1.5'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_query_is_named_with_its_place(text: str, mistake: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_select(text)
    assert caught.value.message == f"Error parsing query: {mistake}"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", f"expected a field {NAME} at position 1, got {END}"),
        ("a", f"expected {OPERATOR} at position 2, got {END}"),
        ("a <> 1", f"expected {OPERATOR} at position 3, got '<>'"),
        ("a == 1", f"expected {OPERATOR} at position 3, got '=='"),
        ("a =", f"expected {VALUE} at position 4, got {END}"),
        ("a = ACTIVE", f"expected {VALUE} at position 5, got 'ACTIVE'"),
        ("a = null", f"expected {VALUE} at position 5, got 'null'"),
        ("a = 42abc", f"expected {VALUE} at position 5, got '42abc'"),
        ("a = ‘x’", f"expected {VALUE} at position 5, got '‘'"),
        ("a = `x`", f"expected {VALUE} at position 5, got `x`"),
        ("\"a\" = 'x'", f'expected a field {NAME} at position 1, got "a"'),
        ("a = 'x", f"expected a closing ' (the text begins at position 5) at position 7, got {END}"),
        ("a = 'it's'", f"expected 'and', 'or' or {END} at position 9, got 's'"),
        ("a = 1 and 'b", f"expected a closing ' (the text begins at position 11) at position 13, got {END}"),
        ("a = 'x' b", f"expected 'and', 'or' or {END} at position 9, got 'b'"),
        ("(a = 1", f"expected ')' at position 7, got {END}"),
        ("a = 1)", f"expected 'and', 'or' or {END} at position 6, got ')'"),
        ("a = 1 and", f"expected a field {NAME} at position 10, got {END}"),
        ("a in 1", "expected '(' at position 6, got '1'"),
        ("a in ()", f"expected {VALUE} at position 7, got ')'"),
        ("a in (1 2)", "expected ',' or ')' at position 9, got '2'"),
        ("a like 5", "expected a pattern (text in quotes, % for any characters) at position 8, got '5'"),
        ("a not = 1", "expected LIKE or IN at position 7, got '='"),
        ("a is 1", "expected 'null' at position 6, got '1'"),
        ("a = " + "x" * 50, f"expected {VALUE} at position 5, got '{'x' * 40}...'"),
        ("a = '\0'", "expected a Unicode character other than NUL at position 6, got '\\x00'"),
        ("a = '\ud800'", "expected a Unicode character other than NUL at position 6, got '\\ud800'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_filter_is_named_with_its_place(text: str, mistake: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_where(text)
    assert caught.value.message == f"Error parsing query: {mistake}"


def test_a_mistake_in_an_ordering_is_named_with_its_place() -> None:
    with pytest.raises(QueryError) as caught:
        parse_order("a asc b")
    expected = (
        "Error parsing query: expected ',', 'asc', 'desc' or the end of the query at position 7, got 'b'"
    )
    assert caught.value.message == expected


def test_a_mistake_is_a_bad_request_that_knows_its_position() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_select("select * contacts")
    assert (caught.value.status, getattr(caught.value, "position", None)) == (400, 10)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("(" * 10_000, "expected at most 20 parentheses and NOTs inside each other at position 21, got '('"),
        (
            "not " * 10_000,
            "expected at most 20 parentheses and NOTs inside each other at position 81, got 'not'",
        ),
        ("a=1 or " * 501, "expected at most 500 conditions in a query at position 3502, got '='"),
        (
            f"a in ({'1,' * 5001}",
            f"expected at most 5000 values in a query at position {7 + 2 * 5000}, got '1'",
        ),
        ("a" * 100_001, "expected at most 100000 characters at position 100001, got 100001"),
        (
            f"a like '{'%' * 1001}'",
            f"expected a pattern of at most 1000 characters at position 8, got '{'%' * 39}...",
        ),
    ],
    ids=["parentheses", "nots", "conditions", "values", "characters", "pattern"],
)
def test_a_hostile_size_is_refused_and_the_limit_is_named(text: str, mistake: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_where(text)
    assert caught.value.message == f"Error parsing query: {mistake}"


@settings(max_examples=300, deadline=None)
@given(trees())
def test_a_printed_filter_is_read_as_the_same_filter(tree: Expr) -> None:
    assert parse_where(str(tree)) == tree


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        Select,
        st.lists(fields(), max_size=3).map(tuple),
        st.sampled_from((*FIELDS, "products/groups", "my-object", "select")),
        st.none() | trees(),
        st.lists(st.builds(Order, fields(), st.booleans()), max_size=2).map(tuple),
        st.none() | st.integers(0, 10**6),
    )
)
def test_a_printed_query_is_read_as_the_same_query(select: Select) -> None:
    assert parse_select(str(select)) == select


def test_a_tree_prints_in_the_words_of_the_language() -> None:
    text = (
        'SELECT `where`, b FROM c ORDERBY=b LIMIT 5 WHERE (a=1 OR b LIKE "it\'s") AND NOT c IN (TRUE, 1e999)'
    )
    expected = (
        "select `where`, b from c where (a = 1 or b like 'it''s') and not c in (true, 1e999) "
        "order by b asc limit 5"
    )
    assert str(parse_select(text)) == expected


_WORDS = (
    "select from where order by orderby limit asc desc and or not like in is null true ( ) , * = != < > <> '' \" ` "
    "a b.c 42 -1 2015-10-22 'x' % \\ ; é \0 \ud800"
)
_pieces = st.sampled_from(_WORDS.split(" "))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.lists(_pieces, max_size=12).map(" ".join))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text: str) -> None:
    for parse in (parse_where, parse_select, parse_order):
        mistake = _mistake(parse, text)
        assert mistake is None or mistake.message.startswith("Error parsing query: expected ")
        assert mistake is None or 1 <= mistake.position <= len(text) + 1
        assert mistake is None or mistake.message.encode()  # an answer must be able to carry it


def _mistake(parse: Callable[[str], object], text: str) -> QueryError | None:
    try:
        parse(text)
    except QueryError as error:
        return error
    return None
