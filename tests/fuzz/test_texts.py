"""Whatever is written in the project's small languages: a value, or an error that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator import ocnql
from pytest_ocbulk.emulator.connectors import ObjectDefinition, built_in, load
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import BadRequest, OcBulkError
from pytest_ocbulk.emulator.faults import FaultPlan
from pytest_ocbulk.emulator.file_names import dated, disposition
from pytest_ocbulk.emulator.instances import Credentials
from pytest_ocbulk.emulator.selection import Selection
from pytest_ocbulk.emulator.store import Store
from pytest_ocbulk.emulator.timeline import Timeline

from .trying import TRIED, tries

QUERY_WORDS = st.sampled_from(
    ("select", "*", "from", "contact", "where", "and", "or", "not", "in", "is", "null", "like", "order", "by",
     "orderby", "limit", "asc", "desc", "(", ")", ",", "=", "!=", "<=", "'", '"', "`", "''", "'a%'", "1", "1e999",
     "-5", "true", "2024-01-01", "2024-13-99T99:99Z", "a.b[*].c", "a/b", "\\", "%", ";", "--", "/*", "\0",
     "(" * 300, "not " * 300)
)  # fmt: skip
TIMELINE_WORDS = st.sampled_from(
    ("CREATED", "RUNNING", "COMPLETE", "ABORTED", "x3", "x0", "x" + "9" * 30, "2s", "1h30m", "forever", "'NEW'", "-1s",
     "1e5s", "9" * 400 + "s", "created", "'", "0.5s", "x-1", "5", "ms")
)  # fmt: skip
FAULT_WORDS = st.sampled_from(
    ("upload", "status", "callback", ":", "reset", "503", "after", "before", "x2", "forever", "latency", "3s", "=",
     "truncate", "-1", "9" * 40, "stall", "twice", ",", " ", "rate_limit", "never")
)  # fmt: skip


def words(choice: st.SearchStrategy[str], glue: str = " ") -> st.SearchStrategy[str]:
    return st.lists(choice | st.text(max_size=6), max_size=14).map(glue.join)


def survives(what: str, call: Callable[[], object], refusal: type[Exception]) -> Any:
    """The value, None if it was refused with a text that says something."""
    TRIED[what] += 1
    try:
        return call()
    except refusal as error:
        said = str(error)
    assert len(said) > 10
    return None


@given(words(QUERY_WORDS))
@tries(120)
def test_any_query(text: str) -> None:
    """What can be parsed can be run: SQLite takes every statement that comes of it."""
    where = survives("OCNQL", lambda: ocnql.parse_where(text), BadRequest)
    select = survives("OCNQL", lambda: ocnql.parse_select(f"select * from contact {text}"), BadRequest)
    order = survives("OCNQL", lambda: ocnql.parse_order(text), BadRequest)
    store = Store()
    try:
        collection = store.collection(1, "contact", ObjectDefinition("contact"))
        collection.insert(["id", "a"], [["1", "x"]], 0)
        for condition in (where, select and select.where):
            assert collection.count(Selection(condition)) in (0, 1)
        collection.select(order=order or ())
        if select is not None:
            assert ocnql.parse_select(str(select)) == select
    finally:
        store.close()


@given(words(TIMELINE_WORDS))
@tries(100)
def test_any_timeline(text: str) -> None:
    timeline = survives("timelines", lambda: Timeline.parse(text), OcBulkError)
    if timeline is not None:
        assert Timeline.parse(str(timeline)).end == timeline.end


@given(words(FAULT_WORDS, ":") | words(FAULT_WORDS, ""))
@tries(100)
def test_any_fault(text: str) -> None:
    plan = FaultPlan()
    planned = survives("faults", lambda: plan.add(text), OcBulkError)
    if planned is not None:
        assert str(FaultPlan().add(str(planned))) == str(planned)


@given(
    st.text(max_size=60)
    | words(st.sampled_from(("Element", "User", "Organization", "t", "u", ",", " ", "=", "+/=")))
)
@tries(60)
def test_any_authorization(header: str) -> None:
    TRIED["Authorization headers"] += 1
    found = Credentials.parse(header)
    assert all(isinstance(each, str) for each in (found.element, found.user, found.organization))


@given(
    st.text(max_size=30)
    | words(st.sampled_from(("{", "}", "yyyy-MM-dd HH:mm:ss", "{h:mm a}", "'", "é", '"', ";")))
)
@tries(60)
def test_any_file_name(name: str) -> None:
    dated_name = survives("file names", lambda: dated(name, 0.0), BadRequest)
    if dated_name is not None:
        assert disposition(dated_name).count('"') == 2


TOML_KEYS = st.sampled_from(
    ("key", "name", "hub", "id", "includes", "batch_size", "list_cap", "script_queries", "listed", "configuration",
     "quirks", "objects", "fields", "type", "required", "unique", "max_length", "pattern", "format", "primary_key",
     "requires_one_of", "answers", "visible_after", "upload", "read_only", "source", "documented", "live", "x")
)  # fmt: skip
TOML_VALUES = st.sampled_from(
    ("1", "-1", "1.5", "inf", "nan", "true", '"file"', '"contact"', '"integer"', '"("', '"(a+)+$"', "[]",
     '["marketing"]', "[1, 'a']", "{}", "2024-01-01", '""', "[[1]]", '"\\u0000"', '"' + "x" * 200 + '"')
)  # fmt: skip
TOML_TABLES = st.sampled_from(
    ("[objects.contact]", "[objects.contact.fields.id]", "[objects.contact.fields]", "[objects]", "[quirks]",
     "[listed]", "[configuration]", '[objects."a/b"]', '[objects."\\u0000"]', "[[objects]]", "[x]",
     "[objects.contact.fields.a.b]")
)  # fmt: skip
LINES = (
    st.builds(lambda key, value: f"{key} = {value}", TOML_KEYS, TOML_VALUES)
    | TOML_TABLES
    | st.text(max_size=12)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("connectors")


@given(st.lists(LINES, max_size=14), st.booleans())
@tries(120)
def test_any_connector_file(folder: Path, lines: list[str], begun: bool) -> None:
    """Refused with file and reason, or a connector that can be served."""
    path = folder / "own.toml"
    begin = 'key = "own"\nname = "Own"\nhub = "general"\n' if begun else ""
    path.write_text(begin + "\n".join(lines), encoding="utf-8", errors="replace")
    connector = survives("connector files", lambda: load(path), OcBulkError)
    if connector is None:
        with pytest.raises(OcBulkError) as refused:
            load(path)
        assert str(refused.value).startswith(f"{path}: ")
        return
    emulator = Emulator(connectors={connector.key: connector})
    instance = emulator.create_instance(connector)
    for name, shape in connector.objects.items():
        collection = emulator.store.collection(instance.id, name, shape)
        collection.ensure([])
        assert collection.count() == 0
        collection.select()
    emulator.close()


def test_the_built_in_connectors_are_such_files() -> None:
    assert built_in("marketing").objects
