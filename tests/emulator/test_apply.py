"""Uploads become records as a plain model says they do, whatever the size of batches and slices."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ocbulk.emulator import apply, slices, stage
from pytest_ocbulk.emulator.apply import Application
from pytest_ocbulk.emulator.collection import Collection
from pytest_ocbulk.emulator.connectors import WHOLE_FILE, FieldDefinition, ObjectDefinition
from pytest_ocbulk.emulator.store import Store
from pytest_ocbulk.emulator.upload import Options

from .upload_model import Records, Row

PEOPLE = ObjectDefinition(
    "people",
    fields={
        "email": FieldDefinition("email", required=True, unique=True),
        "code": FieldDefinition("code", unique=True),
        "size": FieldDefinition("size", type="integer"),
    },
)
"""A generated key and two unique fields."""

TABLE = ObjectDefinition(
    "table",
    fields={"key": FieldDefinition("key", type="integer"), "email": FieldDefinition("email", unique=True)},
    primary_key="key",
)
"""A key that comes with the rows."""


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def written(rows: list[Row]) -> io.BytesIO:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def started(
    target: Collection,
    shape: ObjectDefinition | None,
    file: io.BytesIO,
    *,
    job: str = "1",
    batch: int = 1,
    options: Options | None = None,
    fail_rows: dict[int, str] | None = None,
) -> Application:
    return Application(
        job, file, options or Options(), shape, target, batch, lambda first, count: [None] * count, fail_rows
    )


def worked_off(store: Store, work: Application) -> Application:
    while not work.finished:
        work.commit(store, work.prepare(), 1000)
    return work


def shown(target: Collection, names: list[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, row[1:], strict=True)) for row in target.select(paths=names)]


def failures(store: Store, job: str = "1") -> dict[int, str]:
    return dict(store.failures(job, 0, 10_000))


# -- against the model --------------------------------------------------------------------------------------

SMALL = st.sampled_from(["", "a", "b", "c", "d", "e"])
PEOPLE_ROWS = st.lists(
    st.fixed_dictionaries({"email": SMALL, "code": SMALL, "size": st.sampled_from(["", "1", "x"])}),
    max_size=12,
)
TABLE_ROWS = st.lists(
    st.fixed_dictionaries({"key": st.sampled_from(["1", "2", "3", "7", "x"]), "email": SMALL}), max_size=12
)
BATCHES = st.sampled_from([1, 2, 3, 5, 8, WHOLE_FILE])
UPLOADS = st.one_of(
    st.tuples(st.just(PEOPLE), PEOPLE_ROWS, PEOPLE_ROWS, st.just("email")),
    st.tuples(st.just(TABLE), TABLE_ROWS, TABLE_ROWS, st.sampled_from(["key", "email"])),
)


@settings(max_examples=200)
@given(UPLOADS, st.sampled_from(["create", "update", "upsert"]), BATCHES, st.sampled_from([2, 4, 1000]))
def test_records_and_failures_are_those_of_the_plain_model(
    upload: tuple[ObjectDefinition, list[Row], list[Row], str], action: str, batch: int, slice_size: int
) -> None:
    shape, before, rows, key = upload
    model = Records(shape)
    store = Store()
    target = store.collection(1, shape.name, shape)
    with pytest.MonkeyPatch.context() as patch:
        for module in (apply, slices, stage):
            patch.setattr(module, "SLICE", slice_size)
        if before:
            model.upload(before, "create", "", 1)
            worked_off(store, started(target, shape, written(before), job="0"))
        model.failures.clear()
        if rows:
            model.upload(rows, action, key, batch or len(rows))
            options = Options(action=action, key=key, batch_size=None)
            work = worked_off(store, started(target, shape, written(rows), batch=batch, options=options))
            assert (work.done, work.failed, work.error) == (len(rows), len(model.failures), "")
    names = list(shape.fields)
    found = sorted(shown(target, names), key=str)
    assert found == sorted(({name: each.get(name) for name in names} for each in model.records), key=str)
    assert failures(store) == model.failures, (before, rows)
    assert [name for name in store.names(1) if name.startswith("\0")] == []
    store.close()


# -- one by one ---------------------------------------------------------------------------------------------


def test_a_batch_size_in_the_options_wins_over_the_connectors(store: Store) -> None:
    target = store.collection(1, "people", PEOPLE)
    file = io.BytesIO(b"email,size\na,1\nb,x\nc,1\n")
    work = worked_off(store, started(target, PEOPLE, file, batch=WHOLE_FILE, options=Options(batch_size=1)))
    assert (work.done, work.failed) == (3, 1)
    assert failures(store) == {2: "x: Not a valid integer in size"}
    assert shown(target, ["email", "size"]) == [{"email": "a", "size": 1}, {"email": "c", "size": 1}]


def test_the_rows_of_a_failed_batch_say_whose_fault_it_is(store: Store) -> None:
    target = store.collection(1, "people", PEOPLE)
    file = io.BytesIO(b"email,size\na,1\nb,x\n,x\nd,1\n")
    worked_off(store, started(target, PEOPLE, file, batch=3))
    others = "Batch of rows 1-3 failed: row 2: x: Not a valid integer in size"
    assert failures(store) == {
        1: others,
        2: "x: Not a valid integer in size",
        3: "email: A value is required",
    }
    assert shown(target, ["email"]) == [{"email": "d"}]


def test_rows_of_an_unknown_object_all_fail(store: Store) -> None:
    target = store.collection(1, "bad", ObjectDefinition("bad"))
    work = worked_off(store, started(target, None, io.BytesIO(b"a\n1\n2\n"), batch=WHOLE_FILE))
    assert (work.done, work.failed, work.error) == (2, 2, "")
    assert failures(store) == {1: "bad: No such object", 2: "bad: No such object"}
    assert not target.exists


def test_planned_failures_take_their_batch_with_them(store: Store) -> None:
    target = store.collection(1, "any", ObjectDefinition("any"))
    work = started(
        target,
        ObjectDefinition("any"),
        io.BytesIO(b"a\n1\n2\n3\n4\n"),
        batch=2,
        fail_rows={3: "told so", 9: "never"},
    )
    worked_off(store, work)
    assert failures(store) == {3: "told so", 4: "Batch of rows 3-4 failed: row 3: told so"}
    assert shown(target, ["a"]) == [{"a": "1"}, {"a": "2"}]


def test_unknown_columns_are_left_out_and_named(store: Store) -> None:
    target = store.collection(1, "people", PEOPLE)
    work = worked_off(store, started(target, PEOPLE, io.BytesIO(b"nope,email,id\n1,a,77\n")))
    assert work.info == "Ignored columns: nope, id"
    assert target.select(paths=["email"]) == [(1, "a")]


def test_without_unknown_columns_there_is_nothing_to_say(store: Store) -> None:
    target = store.collection(1, "people", PEOPLE)
    assert worked_off(store, started(target, PEOPLE, io.BytesIO(b"email\na\n"))).info is None


@pytest.mark.parametrize(
    ("shape", "options", "csv_text", "error"),
    [
        (PEOPLE, Options(), b"code\n1\n", "All people records require 'email'"),
        (PEOPLE, Options("update", "code"), b"email\na\n", "All people records require 'code'"),
        (TABLE, Options("upsert"), b"email\na\n", "All table records require 'key'"),
        (
            ObjectDefinition("prospects", requires_one_of=("email", "id")),
            Options(),
            b"email,id,name\na,,x\n,,y\n",
            "All prospects records require either 'email' or 'id'",
        ),
        (
            ObjectDefinition("prospects", requires_one_of=("email", "id")),
            Options(),
            b"name\nx\n",
            "All prospects records require either 'email' or 'id'",
        ),
    ],
)
def test_checks_on_the_whole_file_abort_the_job(
    store: Store, shape: ObjectDefinition, options: Options, csv_text: bytes, error: str
) -> None:
    target = store.collection(1, shape.name, shape)
    work = worked_off(store, started(target, shape, io.BytesIO(csv_text), batch=WHOLE_FILE, options=options))
    assert (work.error, work.failure_status, work.done, work.failed) == (error, "ABORTED", 0, 0)
    assert target.count() == 0


@pytest.mark.parametrize("fine", [b"email,id\na,\n,7\n", b"id\n7\n"])
def test_one_of_the_needed_values_is_enough(store: Store, fine: bytes) -> None:
    shape = ObjectDefinition("prospects", requires_one_of=("email", "id"))
    work = worked_off(store, started(store.collection(1, "prospects", shape), shape, io.BytesIO(fine)))
    assert (work.error, work.failed) == ("", 0)


@pytest.mark.parametrize(("batch", "kept"), [(1, ["a", "b"]), (2, ["a", "b"]), (3, []), (WHOLE_FILE, [])])
def test_the_batch_in_which_a_file_breaks_is_not_applied(store: Store, batch: int, kept: list[str]) -> None:
    target = store.collection(1, "people", PEOPLE)
    work = worked_off(store, started(target, PEOPLE, io.BytesIO(b"email\na\nb\nc,d\ne\n"), batch=batch))
    assert work.error == "Row 3: expected 1 columns as in the header, got 2"
    assert [each["email"] for each in shown(target, ["email"])] == kept
    assert (work.done, work.failed) == (len(kept), 0)


def test_a_job_that_ends_midway_keeps_complete_batches_and_drops_the_stage(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (apply, slices, stage):
        monkeypatch.setattr(module, "SLICE", 2)
    rows = [{"email": f"p{number}"} for number in range(10)]
    small = started(store.collection(1, "people", PEOPLE), PEOPLE, written(rows))
    small.commit(store, small.prepare(), 1)
    small.abandon()
    large = started(store.collection(1, "more", PEOPLE), PEOPLE, written(rows), job="2", batch=5)
    for _ in range(3):
        large.commit(store, large.prepare(), 1)
    assert any(name.startswith("\0") for name in store.names(1))
    large.abandon()
    assert [name for name in store.names(1) if name.startswith("\0")] == []
    assert store.collection(1, "more", PEOPLE).count() == 5
    assert small.file.closed
    assert large.file.closed


def test_what_becomes_visible_late_is_hidden_until_then(store: Store) -> None:
    from pytest_ocbulk.emulator.selection import Selection

    target = store.collection(1, "people", PEOPLE)
    file = written([{"email": name} for name in "abcd"])
    asked: list[tuple[int, int]] = []

    def visible(first: int, count: int) -> list[int | None]:
        asked.append((first, count))
        return [None if row % 2 else 5000 for row in range(first, first + count)]

    worked_off(store, Application("1", file, Options(), PEOPLE, target, 1, visible))
    at = [target.select(Selection(now=now), paths=["email"]) for now in (4999, 5000)]
    assert [[row[1] for row in rows] for rows in at] == [["a", "c"], ["a", "b", "c", "d"]]
    assert asked[-1] == (1, 4)


def test_a_file_with_too_many_columns_aborts_the_job(store: Store) -> None:
    shape = ObjectDefinition("any")
    target = store.collection(1, "any", shape)
    file = io.BytesIO(",".join(f"c{number}" for number in range(2000)).encode() + b"\n" + b"," * 1999 + b"\n")
    work = worked_off(store, started(target, shape, file))
    assert (work.error, work.done, work.failed) == ("any cannot have more than 1900 columns", 0, 0)
    assert file.closed
    assert not target.exists


def test_columns_that_become_too_many_midway_abort_the_job_with_what_was_complete(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_ocbulk.emulator.table.MAX_COLUMNS", 3)
    for module in (apply, slices, stage):
        monkeypatch.setattr(module, "SLICE", 2)
    shape = ObjectDefinition("any")
    for job, batch, kept in (("1", 1, 2), ("2", 3, 0)):
        target = store.collection(1, job, shape)
        lines = "".join(f'{{"c{number}": 1}}\n' for number in range(6))
        options = Options(file_format="json")
        work = worked_off(
            store, started(target, shape, io.BytesIO(lines.encode()), job=job, batch=batch, options=options)
        )
        assert work.error == f"{job} cannot have more than 3 columns"
        assert (work.done, target.count()) == (kept, kept)


def test_a_stage_that_does_not_fit_to_the_records_there_are_aborts_the_job_with_nothing_of_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_ocbulk.emulator.table.MAX_COLUMNS", 3)
    shape = ObjectDefinition("any")
    target = store.collection(1, "any", shape)
    worked_off(store, started(target, shape, io.BytesIO(b"a,b\n1,2\n"), job="0"))
    file = io.BytesIO(b"c,d\n1,2\n3,4\n")
    work = worked_off(store, started(target, shape, file, batch=WHOLE_FILE))
    assert (work.error, work.done, work.failed) == ("any cannot have more than 3 columns", 0, 0)
    assert shown(target, ["a", "b"]) == [{"a": "1", "b": "2"}]
    assert [name for name in store.names(1) if name.startswith("\0")] == []
