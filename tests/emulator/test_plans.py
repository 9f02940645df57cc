"""Plans for coming jobs: their course, rows that fail, errors; and records that are not there yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.plans import JobPlans

from .asking import Asked, body_of, contacts, form

CSV = contacts("ann", "bob", "cyd", "dan")


@pytest.fixture
def fake() -> Iterator[Asked]:
    with Asked() as asked:
        yield asked


# -- the course of jobs -------------------------------------------------------------------------------------


def test_a_word_from_the_future_is_shown_like_any_other(fake: Asked) -> None:
    fake.instance.plans.next_job("CREATED 'QUEUED_V2' x1 COMPLETE")
    job = fake.upload(CSV)
    assert [fake.status(job) for _ in range(3)] == ["QUEUED_V2", "COMPLETED", "COMPLETED"]
    assert str(fake.instance.jobs[job].course.timeline) == "CREATED 'QUEUED_V2' x1 COMPLETED"


@pytest.mark.parametrize("end", ["ABORTED", "ERROR"])
def test_a_failing_end_carries_the_planned_error_and_applies_no_row(fake: Asked, end: str) -> None:
    fake.instance.plans.next_job(f"CREATED {end}", error="no such table")
    job = fake.upload(CSV)
    shown = fake.get(f"/bulk/{job}/status")
    assert (shown["status"], shown["error"], shown["recordsCount"]) == (end, "no such table", 0)
    assert fake.get("/contact") == []


def test_an_error_without_a_timeline_aborts_at_the_first_look(fake: Asked) -> None:
    fake.instance.plans.next_job(error="quota exceeded")
    shown = fake.get(f"/bulk/{fake.upload(CSV)}/status")
    assert (shown["status"], shown["error"]) == ("ABORTED", "quota exceeded")


def test_plans_are_used_in_their_order_and_one_for_an_object_waits_for_it(fake: Asked) -> None:
    plans = fake.instance.plans
    plans.next_job("CREATED ABORTED", object="account")
    plans.next_job("CREATED ERROR", times=2)
    ends = [fake.status(fake.upload(CSV, name)) for name in ("contact", "account", "contact", "contact")]
    assert ends == ["ERROR", "ABORTED", "ERROR", "COMPLETED"]


def test_a_timeline_of_one_word_has_ended_when_it_is_created(fake: Asked) -> None:
    fake.instance.plans.next_job("COMPLETE")
    body, headers = form(CSV)
    stub = json.loads(body_of(fake.answer("POST", "/bulk/contact", body, headers)))
    assert (stub["status"], len(fake.get("/contact"))) == ("COMPLETED", 4)


def test_rows_fail_as_planned_whatever_else_is_wrong_with_them(fake: Asked) -> None:
    fake.instance.plans.next_job(fail_rows={2: "bad email", 4: "too old"})
    job = fake.upload(CSV.replace(b"bob@example.com", b""))
    shown = fake.get(f"/bulk/{job}/status")
    assert (shown["recordsCount"], shown["recordsFailedCount"]) == (4, 2)
    found = [(each["rowNum"], each["status"]) for each in fake.get(f"/bulk/{job}/errors")]
    assert found == [(2, "bad email"), (4, "too old")]
    assert fake.instance.plans.describe() == []


def test_rows_of_an_unknown_object_fail_as_planned_too(fake: Asked) -> None:
    fake.instance.plans.next_job(fail_rows={2: "planned"})
    errors = fake.get(f"/bulk/{looked(fake, fake.upload(CSV, 'bad'))}/errors")
    assert [each["status"] for each in errors] == ["bad: No such object", "planned"] + [
        "bad: No such object"
    ] * 2


def looked(fake: Asked, job: str) -> str:
    """A job after its first look."""
    fake.status(job)
    return job


def test_what_was_planned_and_did_not_happen_is_told(fake: Asked) -> None:
    plans = fake.instance.plans
    plans.next_job(fail_rows={3: "bad", 9: "beyond", 10: "the end"})
    plans.next_job(fail_rows={1: "no row"})
    plans.next_job("CREATED ABORTED", object="account", error="why")
    plans.next_job("CREATED x2 COMPLETE", fail_rows={1: "bad"})
    looked(fake, fake.upload(CSV))
    answer = fake.answer("POST", "/bulk/query?q=" + quote("select * from contact"))
    looked(fake, json.loads(body_of(answer))["id"])
    assert plans.describe() == [
        "next_job('CREATED ABORTED', object='account', error='why') was not used: no job about account came",
        "next_job('CREATED x2 COMPLETED', fail_rows={1: 'bad'}) was not used: no job came",
        "fail_rows={9: 'beyond', 10: 'the end'} did not happen: job 1234 has read 4 rows",
        "fail_rows={1: 'no row'} did not happen: job 1235 is a query",
    ]
    assert len(plans.pending) == 2
    plans.clear()
    assert plans.describe() == []


def test_rows_of_a_job_that_is_cancelled_did_not_fail(fake: Asked) -> None:
    fake.instance.plans.next_job("CREATED 1m COMPLETE", fail_rows={1: "bad"})
    job = fake.upload(CSV)
    fake.answer("PUT", f"/bulk/{job}/cancel")
    looked(fake, job)
    assert fake.instance.plans.describe() == ["fail_rows={1: 'bad'} did not happen: job 1234 has read 0 rows"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"timeline": "CREATED COMPLETE", "error": "x"},
            "error needs a timeline that ends in ABORTED or ERROR, got 'CREATED COMPLETE'",
        ),
        (
            {"timeline": "CREATED forever", "error": "x"},
            "error needs a timeline that ends in ABORTED or ERROR, got 'CREATED forever'",
        ),
        ({"fail_rows": {0: "x"}}, "next_job(fail_rows=...) counts data rows from 1, got 0"),
        (
            {"fail_rows": [2]},
            (
                "next_job(fail_rows=...) maps numbers of data rows to messages, like {2: 'the record is locked'},"
                " got [2]"
            ),
        ),
        ({"fail_rows": {"1": "x"}}, "next_job(fail_rows=...) counts data rows from 1, got '1'"),
        (
            {"fail_rows": {1: ""}},
            "next_job(fail_rows=...) gives each row the message of its error, got '' for row 1",
        ),
        (
            {"timeline": "CREATED ABORTED", "fail_rows": {1: "x"}},
            (
                "next_job(fail_rows=...) needs a job that applies rows, got a timeline that ends in ABORTED;"
                " leave fail_rows out or end it in COMPLETE"
            ),
        ),
        ({"times": 0}, "times is a number from 1, got 0"),
        ({"timeline": 5}, "job is a timeline like 'CREATED 2s RUNNING COMPLETE', got 5"),
        (
            {"timeline": ["CREATED", "COMPLETE"]},
            "job is a timeline like 'CREATED 2s RUNNING COMPLETE', got ['CREATED', 'COMPLETE']",
        ),
    ],
)
def test_a_plan_that_could_not_happen_is_refused(arguments: Mapping[str, Any], text: str) -> None:
    plans = JobPlans()
    with pytest.raises(OcBulkError) as error:
        plans.next_job(**arguments)
    assert (str(error.value), plans.pending) == (text, ())


# -- records that are not there yet -------------------------------------------------------------------------


def seen(fake: Asked) -> list[str]:
    """The first names that a list shows."""
    return [each["C_FirstName"] for each in fake.get("/contact")]


def test_records_of_a_job_that_is_done_show_up_later_everywhere(fake: Asked) -> None:
    fake.instance.visibility.set(lag="5s")
    job = looked(fake, fake.upload(CSV))
    number = fake.emulator.store.collection(
        fake.instance.id, "contact", fake.instance.connector.objects["contact"]
    ).select(paths=())[0][0]
    where = "/contact?where=" + quote("C_FirstName='ann'")
    assert fake.get(f"/bulk/{job}/status")["recordsCount"] == 4
    assert (seen(fake), fake.get(where)) == ([], [])
    assert fake.answer("GET", f"/contact/{number}").status == 404
    assert queried(fake) == 0
    fake.clock.advance("4s")
    assert seen(fake) == []
    fake.clock.advance("1s")
    assert seen(fake) == ["ann", "bob", "cyd", "dan"]
    assert (len(fake.get(where)), fake.get(f"/contact/{number}")["C_FirstName"]) == (1, "ann")
    assert queried(fake) == 4


def queried(fake: Asked) -> int:
    """How many records a bulk query finds."""
    answer = fake.answer("POST", "/bulk/query?q=" + quote("select * from contact"))
    job = looked(fake, json.loads(body_of(answer))["id"])
    return int(fake.get(f"/bulk/{job}/status")["recordsCount"])


def test_a_part_of_the_records_shows_up_at_once_and_the_rest_later(fake: Asked) -> None:
    fake.instance.visibility.set(lag="5s", partial=0.5)
    looked(fake, fake.upload(CSV))
    assert (seen(fake), queried(fake)) == (["bob", "dan"], 2)
    fake.clock.advance("5s")
    assert (seen(fake), queried(fake)) == (["ann", "bob", "cyd", "dan"], 4)


def test_without_a_lag_the_rest_never_shows_up(fake: Asked) -> None:
    fake.instance.visibility.set(partial=0.25)
    looked(fake, fake.upload(CSV))
    fake.clock.advance("10000d")
    assert (seen(fake), queried(fake)) == (["dan"], 1)


def test_a_count_counts_what_is_to_be_seen(fake: Asked) -> None:
    fake.instance.visibility.set(partial=0.5)
    looked(fake, fake.upload(CSV))
    answer = fake.answer("GET", "/contact?returnCount=true")
    assert answer.headers["elements-total-count"] == "2"


def test_a_posted_record_is_answered_at_once_and_found_later(fake: Asked) -> None:
    fake.instance.visibility.set(lag="5s")
    answer = json.loads(body_of(fake.answer("POST", "/contact", b'{"C_EmailAddress": "a@example.com"}')))
    assert answer["C_EmailAddress"] == "a@example.com"
    assert (fake.get("/contact"), fake.answer("GET", f"/contact/{answer['id']}").status) == ([], 404)
    fake.clock.advance("5s")
    assert fake.get(f"/contact/{answer['id']}") == fake.get("/contact")[0]


def test_of_records_posted_one_by_one_a_part_is_found(fake: Asked) -> None:
    fake.instance.visibility.set(partial=0.5)
    for name in "abcd":
        fake.answer("POST", "/contact", json.dumps({"C_EmailAddress": f"{name}@example.com"}).encode())
    assert [each["C_EmailAddress"] for each in fake.get("/contact")] == ["b@example.com", "d@example.com"]


def test_visibility_counts_from_the_instant_at_which_the_job_was_due(fake: Asked) -> None:
    fake.instance.visibility.set(lag="5s")
    fake.instance.plans.next_job("CREATED 10s COMPLETE")
    fake.upload(CSV)
    fake.clock.advance("14s")  # nobody looked in between
    assert seen(fake) == []
    fake.clock.advance("1s")
    assert len(seen(fake)) == 4


def test_visibility_is_for_records_to_come(fake: Asked) -> None:
    looked(fake, fake.upload(CSV))
    fake.instance.visibility.set(lag="5s")
    assert len(seen(fake)) == 4


@pytest.mark.parametrize("part", [-0.1, 1.5, "half", float("nan")])
def test_a_part_outside_of_0_to_1_is_refused(fake: Asked, part: float) -> None:
    with pytest.raises(OcBulkError) as error:
        fake.instance.visibility.set(partial=part)
    assert str(error.value) == f"visibility partial is a part from 0 to 1, got {part!r}"
