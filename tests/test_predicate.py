"""What a filter means, held in Python and in SQL: by a table of examples, and by random filters and records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_ocbulk.emulator.errors import BadRequest
from pytest_ocbulk.emulator.ocnql import And, Comparison, Expr, In, Like, Or, Order, QueryError, parse_where
from pytest_ocbulk.emulator.ocnql_tokens import number
from pytest_ocbulk.emulator.predicate import evaluate
from pytest_ocbulk.emulator.predicate_sql import order_sql, to_sql

from .ocnql_trees import TEXTS, query_texts, records, stored_texts, trees

FIELDS = ("a", "b", "c")


def column(field: str) -> str:
    """The store's part: a quoted identifier for a known field."""
    if field not in FIELDS:
        raise BadRequest(f"no field {field}")
    return f'"{field}"'


def stored(value: object) -> object:
    """The store's part: JSON in a BLOB for what SQLite has no type for."""
    plain = value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))
    return value if plain else json.dumps(value).encode()


def found(tree: Expr, rows: Sequence[Mapping[str, object]]) -> list[bool]:
    """What SQL answers for each record, after checking that the query left the table as it was."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute('CREATE TABLE t ("a", "b", "c")')
        values = [[stored(row.get(field)) for field in FIELDS] for row in rows]
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", values)
        sql, bound = to_sql(tree, column)
        ids = {row[0] for row in database.execute(f"SELECT rowid FROM t WHERE {sql}", bound)}
        assert [list(row) for row in database.execute("SELECT * FROM t ORDER BY rowid")] == values
        return [index + 1 in ids for index in range(len(values))]
    finally:
        database.close()


def matches(value: object, text: str) -> bool:
    """Whether the record {a: value} fits the filter; Python and SQL must say the same."""
    tree, row = parse_where(text), {"a": value}
    in_python = evaluate(tree, row)
    assert found(tree, [row]) == [in_python], "SQL answers otherwise than Python"
    return in_python


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # numbers, bare and in quotes
        (42, "a = 42"), (42, "a = '42'"), ("42", "a = 42"), ("42", "a = '42'"), (42.0, "a in ('42')"),
        ("042", "a = 42"), (" 42.00 ", "a = 42"), ("10", "a > 9"), ("10", "a < '9'"), (10, "a > '9'"),
        ("abc", "a != 42"), ("42", "a in (1, 42)"), (42, "a in ('x', '42')"), (2**53 + 1, "a != 9007199254740992"),
        # text
        ("Ann", "a = 'Ann'"), ("b", "a > 'a'"), ("", "a = ''"), ("", "a < 'a'"), ("é", "a > 'z'"), (5, "a != 'x'"),
        ("it's", "a = 'it''s'"), ("Ann", "a in ('Bob', 'Ann')"), ("Ann", "a not in ('Bob')"),
        # booleans
        (True, "a = true"), (True, "a = 'TRUE'"), ("True", "a = true"), (False, "a = 'false'"), (False, "a != true"),
        ("FALSE", "a in (false)"),
        # dates
        ("2015-10-22T16:40:09.563", "a > '2015-10-22 16:40:09'"), ("2015-10-22 16:40:09", "a = '2015-10-22T16:40:09Z'"),
        ("2024-01-01T00:00:00.000Z", "a >= '2024-01-01T00:00:00Z'"), ("2024-01-01T00:00:00.000Z", "a <= 2024-01-01"),
        ("2015-01-06T16:31:38Z", "a = 2015-01-06T09:31:38-07:00"), ("2015-10-22", "a in ('2015-10-22T00:00:00')"),
        ("2015-10-23", "a > '2015-10-22T23:59:59'"), ("2015-10-22T16:40:09+02:00", "a = '2015-10-22T16:40:09+02:00'"),
        (1445532009000, "a > 1445532008000"),
        # like
        ("Account", "a like 'acc%'"), ("Account", "a like '%COUNT'"), ("a_c", "a like 'a_c'"),
        ("a\\c", "a like 'a\\c'"),         ("a\\_c", "a like '%\\_c'"), (42, "a like '4%'"), ("", "a like '%'"),
        ("abcabc", "a like '%b%c'"),
        ("abc", "a not like 'b%'"), ("É", "a not like 'é'"), ("a\0b", "a like 'A'"),
        # missing, and what is neither text nor number
        (None, "a is null"), ("", "a is not null"), (None, "not a = 1"), ([1], "a is not null"), ([1], "a != 1"),
        ({"x": 1}, "a not like '%x%'"), (True, "a not in (1)"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_filter_finds(value: object, text: str) -> None:
    assert matches(value, text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # numbers
        ("042", "a = '42'"), ("42", "a != 42"), ("abc", "a > 9"), ("abc", "a < 9"), (42, "a = '042x'"), (10, "a > 'a'"),
        (10, "a < 'a'"), ("0x2a", "a = 42"), ("", "a = 0"), ("", "a < 1"), (2**53 + 1, "a = 9007199254740992"),
        ("inf", "a > 1"), ("٤٢", "a = 42"),
        # text
        ("ann", "a = 'Ann'"), ("Ann", "a != 'Ann'"), ("a", "a > 'a'"), ("Ann", "a not in ('Ann')"),
        # booleans
        (True, "a = false"), (True, "a = 1"), (1, "a = true"), ("yes", "a = true"), (True, "a >= true"),
        # dates
        ("2015-10-22T16:40:09.563", "a <= '2015-10-22 16:40:09'"), ("2024-01-01T00:00:00.000Z", "a > '2024-01-01'"),
        (1445532009000, "a > '2015-10-22'"), ("2015-10-22T16:40:09+02:00", "a = '2015-10-22T14:40:09Z'"),
        # like
        ("abc", "a like 'a_c'"), ("abc", "a like 'b%'"), ("abc", "a like '%b'"), ("É", "a like 'é'"),
        (4.5, "a like '4%'"),         ("abc", "a like ''"), ("aba", "a like 'ab%ba'"), (True, "a like 't%'"),
        ("abc", "a not like 'A%'"),
        # missing
        *((None, f"a {test}") for test in ("= 1", "!= 1", "!= 'x'", "< 1", ">= 'x'", "like '%'", "not like 'x'")),
        *((None, f"a {test}") for test in ("in (1)", "not in (1)", "= ''", "is not null", "= true", "!= true")),
        ([1], "a = '[1]'"), ([1], "a like '%1%'"), ({}, "a >= ''"), ([1], "a is null"), ([1], "a in (1, '[1]', true)"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_filter_does_not_find(value: object, text: str) -> None:
    assert not matches(value, text)


EVERY_TEXT: list[dict[str, object]] = [{"a": text} for text in TEXTS]


@settings(max_examples=400, deadline=None)
@given(trees(FIELDS), st.lists(records(FIELDS), min_size=1, max_size=12))
@example(In("a", ("2015-10-20", "2015-10-22T00:00:00Z")), EVERY_TEXT)
@example(Comparison("a", ">", "2015-10-22T16:40:09.563+00:00"), EVERY_TEXT)
@example(Comparison("a", "<=", "2015-10-22"), EVERY_TEXT)
@example(Comparison("a", "<", 42), EVERY_TEXT)
@example(Comparison("a", ">=", "42"), EVERY_TEXT)
def test_sql_finds_what_plain_python_finds(tree: Expr, rows: list[dict[str, object]]) -> None:
    assert found(tree, rows) == [evaluate(tree, row) for row in rows]


@settings(max_examples=150, deadline=None)
@given(st.lists(stored_texts, min_size=1, max_size=10))
def test_our_idea_of_a_number_in_text_is_that_of_sqlite(texts: list[str]) -> None:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE t (n NUMERIC)")
        database.executemany("INSERT INTO t VALUES (?)", [(text,) for text in texts])
        held = [row[0] for row in database.execute("SELECT n FROM t ORDER BY rowid")]
    finally:
        database.close()
    for text, value in zip(texts, held, strict=True):
        assert number(text) == (None if isinstance(value, str) else value)


_instants = st.datetimes(datetime(2015, 10, 19), datetime(2015, 10, 23), timezones=st.just(UTC))


def _written(instant: datetime, form: str, offset: int) -> str:
    local = instant.astimezone(timezone(timedelta(minutes=offset)))
    return local.strftime(form) + (local.isoformat()[-6:] if offset else "")


@settings(max_examples=200, deadline=None)
@given(
    _instants.map(lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)),
    st.sampled_from(["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f"]),
    _instants.map(lambda instant: instant.replace(microsecond=0)),
    st.sampled_from(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]),
    st.sampled_from([0, 120, -420, 330]),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    st.booleans(),
)
def test_dates_compare_as_the_calendar_does(
    then: datetime, form: str, now: datetime, short: str, offset: int, sign: str, same: bool
) -> None:
    """The judge is `datetime`: the stored date and the literal may be written in different ways."""
    then = now if same else then
    tree = Comparison("a", sign, _written(now, short, offset))
    answers = {
        "=": then == now,
        "!=": then != now,
        "<": then < now,
        "<=": then <= now,
        ">": then > now,
        ">=": then >= now,
    }
    row = {"a": then.strftime(form)}
    assert (evaluate(tree, row), found(tree, [row])) == (answers[sign], [answers[sign]])


HOSTILE = [
    "'; DROP TABLE t; --",
    "' OR '1'='1",
    '" OR ""="',
    "\\'",
    "') --",
    "a\nb",
    "?",
    ":a",
    "%",
    "💥",
    "x''",
    "`",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_finds_nothing_and_breaks_nothing(text: str) -> None:
    rows: list[dict[str, object]] = [{"a": "Ann", "b": "Bob"}, {"a": 1, "b": None}]
    for tree in (Comparison("a", "=", text), In("a", (text, "x")), Like("a", text.replace("%", "%%x"))):
        assert found(tree, rows) == [False, False]


@settings(max_examples=150, deadline=None)
@given(query_texts)
def test_a_text_in_a_query_finds_exactly_the_record_that_holds_it(text: str) -> None:
    tree = parse_where(f"""a = '{text.replace("'", "''")}'""")
    rows: list[dict[str, object]] = [{"a": text}, {"a": "\0" + text}, {"b": text}]
    assert found(tree, rows) == [True, False, False]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_a_query_spliced_by_a_careless_client_changes_nothing(field: str, text: str) -> None:
    """The client forgets to double its quotes: it gets an error or an answer, the table stays (see `found`)."""
    try:
        tree = parse_where(f"{field} = '{text}'")
        answers = found(tree, [{"a": "Ann"}])
    except BadRequest:
        return
    assert answers == [evaluate(tree, {"a": "Ann"})]


def test_values_are_bound_and_never_written_into_the_sql() -> None:
    sql, values = to_sql(parse_where("a = 'Ann' and (b > 'Bob' or not c like 'x_%')"), column)
    assert sql == (
        """(((("c" LIKE ? ESCAPE '\\' AND typeof("c") IN ('text', 'integer')) IS NOT TRUE) """
        """OR ("b" > ? AND "b" < x'')) AND ("a" = ?))"""
    )
    assert values == ["x\\_%", "Bob", "Ann"]


def test_a_field_that_the_store_does_not_know_is_its_refusal() -> None:
    with pytest.raises(BadRequest, match="no field d"):
        to_sql(parse_where("a = 1 and d = 1"), column)


def _nested(levels: int, side: Callable[[int], Expr] = lambda _: parse_where("b = 1")) -> Expr:
    """ANDs and ORs in turn, nested to the right; an AND inside an OR is written without a parenthesis."""
    tree: Expr = parse_where("a not in ('2015-10-22')")
    for level in range(levels):
        tree = (And if level % 2 else Or)((side(level), tree))
    return tree


@pytest.mark.parametrize(
    "tree",
    [
        parse_where(" or ".join(["a not in ('2015-10-22', true, 1)"] * 500)),
        parse_where(f"a in ({', '.join(['2015-10-22'] * 5000)})"),
        parse_where(f"a in ({', '.join(['1'] * 5000)})"),
        parse_where("not " * 20 + "a = 1"),
        parse_where(str(_nested(41))),
        parse_where(str(_nested(41, lambda level: _nested(max(0, level - 13))))),
        parse_where(f"a like '{'%_' * 500}'"),
    ],
    ids=["conditions", "dates", "numbers", "nots", "nesting", "broad nesting", "pattern"],
)
def test_sqlite_takes_the_largest_filter_that_the_parser_lets_through(tree: Expr) -> None:
    row = {"a": "x", "b": 1}
    assert found(tree, [row]) == [evaluate(tree, row)]


def test_one_level_more_than_sqlite_is_asked_to_take_is_refused() -> None:
    with pytest.raises(QueryError, match="at most 20 parentheses"):
        parse_where(str(_nested(43)))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((Order("a"),), [None, 9, 10, "10", "9", "b", "é"]),
        ((Order("a", descending=True),), ["é", "b", "9", "10", 10, 9, None]),
    ],
)
def test_an_ordering_puts_missing_first_then_numbers_then_text(
    order: tuple[Order, ...], expected: list[object]
) -> None:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE t (a)")
        database.executemany(
            "INSERT INTO t VALUES (?)", [(value,) for value in ("9", 10, None, "é", "10", "b", 9)]
        )
        answer = [row[0] for row in database.execute(f"SELECT a FROM t ORDER BY {order_sql(order, column)}")]
    finally:
        database.close()
    assert answer == expected


def test_no_ordering_is_no_sql_and_several_are_in_their_order() -> None:
    assert order_sql((), column) == ""
    assert order_sql((Order("b"), Order("a", descending=True)), column) == '"b" ASC, "a" DESC'


@settings(max_examples=150, deadline=None)
@given(
    trees(("a",)),
    st.lists(st.integers(-20, 50) | st.sampled_from([2**53 + 1, -(2**63)]), unique=True, min_size=1),
)
def test_a_column_with_integer_affinity_answers_alike(tree: Expr, keys: list[int]) -> None:
    """The store keeps an integer key as SQLite's row id, the one column that converts what it is compared with."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        database.executemany("INSERT INTO t VALUES (?)", [(key,) for key in keys])
        sql, bound = to_sql(tree, column)
        answer = {row[0] for row in database.execute(f"SELECT a FROM t WHERE {sql}", bound)}
    finally:
        database.close()
    assert answer == {key for key in keys if evaluate(tree, {"a": key})}


@settings(max_examples=100, deadline=None)
@given(trees(("a",)))
def test_a_field_that_no_record_has_may_be_a_plain_null(tree: Expr) -> None:
    database = sqlite3.connect(":memory:")
    try:
        sql, bound = to_sql(tree, lambda _: "NULL")
        answer = database.execute(f"SELECT count(*) FROM (SELECT 1) WHERE {sql}", bound).fetchone()
    finally:
        database.close()
    assert answer == (int(evaluate(tree, {})),)


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("k = 42", "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"),
        ("k in (1, 42)", "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"),
        ("k = '42'", "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"),
        ("e = 'ann@example.com'", "SEARCH t USING INDEX t_e (e=?)"),
        ("e in ('a@b.c', 'd@e.f')", "SEARCH t USING INDEX t_e (e=?)"),
        ("e > 'x'", "SEARCH t USING INDEX t_e (e>? AND e<?)"),
        ("e = 42", "SCAN t"),
    ],
)
def test_a_filter_uses_the_key_and_the_index_where_it_can(text: str, plan: str) -> None:
    database = sqlite3.connect(":memory:")
    try:
        database.executescript("CREATE TABLE t (k INTEGER PRIMARY KEY, e, x); CREATE INDEX t_e ON t (e)")
        sql, bound = to_sql(parse_where(text), lambda field: field)
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN SELECT x FROM t WHERE {sql}", bound)]
    finally:
        database.close()
    assert steps[0].replace(" TABLE ", " ") == plan  # SQLite before 3.36 says TABLE
