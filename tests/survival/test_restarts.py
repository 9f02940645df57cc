"""An emulator that dies at any moment goes on from its data file as if nothing had happened."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ocbulk.emulator.callbacks import SIGNATURE_KEY

from .lives import Lives, contacts, form, lives

BIG = 100
"""Characters that make some thousand rows too large for the tick, so that a worker takes them slice by slice."""


def bad_rows(last: int, *bad: int) -> str:
    """Contacts of which some have no e-mail address."""
    header, *rows = contacts(1, last, wide=BIG).splitlines()
    for number in bad:
        rows[number - 1] = f",Nobody,{'x' * BIG}"
    return "\n".join([header, *rows, ""])


def doubled(last: int) -> str:
    """Contacts of which each third repeats the one before the one before."""
    header, *rows = contacts(1, last, wide=BIG).splitlines()
    rows[2::3] = rows[0:-2:3]
    return "\n".join([header, *rows, ""])


def existing(living: Lives) -> None:
    """Contacts that are there before."""
    living.finish(living.upload("contact", contacts(2500, 2600)))


def nothing(living: Lives) -> None:
    """No contact is there before."""


UPLOADS: dict[str, tuple[str, Callable[[Lives], None], str, dict[str, Any]]] = {
    "rows that stand alone": ("marketing", nothing, contacts(1, 3500, wide=BIG), {}),
    "rows that stand alone, some bad": ("marketing", nothing, bad_rows(3500, 1, 999, 1000, 1001, 3500), {}),
    "rows that stand alone, some there already": ("marketing", existing, contacts(1, 3500, wide=BIG), {}),
    "rows that repeat each other": ("marketing", nothing, doubled(3500), {}),
    "batches of thirty": ("marketing", existing, bad_rows(3500, 31, 3499), {"bulkUploadRecordSize": 30}),
    "batches larger than a slice": (
        "marketing",
        nothing,
        bad_rows(4000, 1499, 3001),
        {"bulkUploadRecordSize": 1500},
    ),
    "a whole file": ("sqlserver", nothing, contacts(1, 3500, wide=BIG), {}),
    "a whole file with a bad row": ("sqlserver", nothing, bad_rows(3500, 3200), {}),
    "upsert": (
        "marketing",
        existing,
        contacts(1, 3500, wide=BIG),
        {"action": "upsert", "identifierFieldName": "C_EmailAddress"},
    ),
    "update": (
        "marketing",
        existing,
        contacts(2000, 4500, wide=BIG),
        {"action": "update", "identifierFieldName": "C_EmailAddress"},
    ),
    "a file that breaks": ("marketing", nothing, contacts(1, 2600, wide=BIG) + "one,cell,too,many\n", {}),
    "an object that there is not": ("marketing", nothing, contacts(1, 2500, wide=BIG), {}),
}


FAILED_AND_RECORDS = {
    "rows that stand alone": (0, 3500),
    "rows that stand alone, some bad": (5, 3495),
    "rows that stand alone, some there already": (101, 3500),
    "rows that repeat each other": (1166, 2334),
    "batches of thirty": (170, 3431),
    "batches larger than a slice": (2500, 1500),
    "a whole file": (0, 3500),
    "a whole file with a bad row": (3500, 0),
    "upsert": (0, 3500),
    "update": (2400, 101),
    "a file that breaks": (0, 2600),
    "an object that there is not": (2500, 0),
}


def outcome(living: Lives, job: str, name: str) -> tuple[Any, ...]:
    """All that can be seen of an upload in the end."""
    body = living.finish(job)
    errors = living.get(f"/bulk/{job}/errors?pageSize=5000")
    records = living.get(f"/{name}?pageSize=5000") if name == "contact" else []
    return body, errors, records, living.count("contact")


@pytest.mark.parametrize("case", UPLOADS)
def test_an_upload_ends_the_same_wherever_the_process_dies(case: str, tmp_path: Path) -> None:
    """Killed after each slice in turn, and after each slice once more: the result is that of one quiet life."""
    connector, before, file, metadata = UPLOADS[case]
    name = "contact" if "there is not" not in case else "bad"
    with lives(None, connector) as quiet, lives(tmp_path, connector) as restless:
        expected = []
        for living in (quiet, restless):
            before(living)
            job = living.upload(name, file, metadata)
            if living is quiet:
                expected = [*outcome(living, job, name)]
                assert (expected[0]["recordsFailedCount"], expected[-1]) == FAILED_AND_RECORDS[case]
                continue
            living.die()
            assert living.status(job) == "RUNNING"
            deaths = 0
            while living.emulator.work():
                seen = living.get(f"/bulk/{job}/status")["recordsCount"]
                living.die()
                deaths += 1
                assert living.get(f"/bulk/{job}/status")["recordsCount"] == seen
            assert deaths
            assert [*outcome(living, job, name)] == expected
            living.die()
            assert [*outcome(living, job, name)] == expected
            left = "SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM collections WHERE name LIKE '_stage%')"
            assert living.emulator.store.db.execute(left).fetchone() == (0, 0)


def test_looks_and_clock_time_go_on_where_they_stood(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.instance.plans.next_job("CREATED x2 RUNNING 10s COMPLETE")
        job = living.upload("contact", contacts(1, 2))
        assert living.status(job) == "CREATED"
        living.die()
        assert living.status(job) == "CREATED"
        living.die()
        assert living.status(job) == "RUNNING"
        living.clock.advance("9s")
        living.die()
        assert living.status(job) == "RUNNING"
        living.clock.advance("1s")
        assert living.status(job) == "COMPLETE"
        assert len(living.get("/contact")) == 2


def test_what_was_due_while_no_process_ran_is_done_at_the_instant_it_was_due(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.instance.plans.next_job("CREATED 10s COMPLETE")
        job = living.upload("contact", contacts(1, 2))
        began = living.clock.now()
        living.clock.advance("1h")
        living.die()
        body = living.get(f"/bulk/{job}/status")
        assert (body["status"], body["bulk_finish_time"]) == ("COMPLETE", round((began + 10) * 1000))


def test_planned_failures_and_errors_of_a_job_survive(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.instance.plans.next_job(fail_rows={2: "No such luck"})
        living.instance.plans.next_job("CREATED x2 ABORTED", error="The provider is gone")
        failing, aborted = living.upload("contact", contacts(1, 3)), living.upload("contact", contacts(1, 3))
        living.die()
        assert living.finish(failing)["recordsFailedCount"] == 1
        assert living.get(f"/bulk/{failing}/errors")[0]["status"] == "No such luck"
        assert living.finish(aborted)["error"] == "The provider is gone"


def test_a_job_that_is_being_cancelled_is_cancelled_after_the_restart(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        job = living.upload("contact", contacts(1, 3500, wide=BIG))
        living.status(job)
        living.emulator.work()
        assert living.ask("PUT", f"/bulk/{job}/cancel")[1]["status"] == "CANCELLATION_PENDING"
        living.die()
        assert living.finish(job)["status"] == "CANCELLED"
        assert living.get("/contact") == []
        assert living.emulator.store.names(living.instance.id) == []


def test_a_query_accepted_before_is_answered_after(tmp_path: Path) -> None:
    query = "/bulk/query?q=select%20C_FirstName%20from%20contact%20where%20C_FirstName%20!=%20'Name%202'%20limit%202"
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 9)))
        job = living.ask("POST", query)[1]["id"]
        living.die()
        assert living.finish(job)["recordsCount"] == 2
        living.die()
        assert living.get(f"/bulk/{job}/contact") == "C_FirstName\nName 1\nName 3\n"
        following = living.ask("POST", f"/bulk/query?continueFromJobId={job}")[1]["id"]
        living.die()
        living.finish(following)
        assert living.get(f"/bulk/{following}/contact") == "C_FirstName\nName 4\nName 5\n"


def test_a_workflow_hands_on_after_the_restart(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 5)))
        made = living.ask("POST", "/instances", {"element": {"key": "marketing"}, "name": "target"})[1]
        target = {"token": made["token"], "objectName": "contact"}
        living.instance.plans.next_job("CREATED 5s COMPLETE")
        step = {"query": "select * from contact", "objectName": "contact", "targetConfiguration": target}
        status, stub = living.ask("POST", "/bulk/workflows", [step])
        assert status == 200, stub
        living.die()
        assert living.get("/bulkloader")[0]["status"] == "RUNNING"
        living.clock.advance("5s")
        living.die()
        living.get("/bulkloader")
        living.die()
        run = living.get("/bulkloader")[0]
        assert (run["status"], run["sourceRecordCount"]) == ("COMPLETE", 5)
        assert len(living.ask("GET", "/contact", token=made["token"])[1]) == 5


def wide(last: int) -> str:
    """Contacts in so many bytes that their form is read, and their file kept, before their job exists."""
    return contacts(1, last, wide=100).replace(",Name ", f",{'y' * 60} ")


def files(living: Lives) -> int:
    """How many parts of files the data file holds."""
    return int(living.emulator.store.db.execute("SELECT count(*) FROM files").fetchone()[0])


def test_a_large_file_is_kept_before_its_job_exists_and_goes_after_it(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        job = living.upload("contact", wide(40_000))
        parts = files(living)
        assert parts > 7
        living.die()
        living.status(job)
        living.emulator.work()
        living.die()
        assert files(living) == parts
        assert living.finish(job)["recordsCount"] == 40_000
        living.die()
        assert living.emulator.has_work  # a file that nobody needs any more
        while living.emulator.work():
            pass
        assert not living.emulator.ledger.untidy
        assert files(living) == 0
        assert living.count("contact") == 40_000


def test_a_large_file_that_is_refused_or_never_accepted_is_not_kept(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        body, headers = (
            form(wide(40_000), {"action": "burn"}),
            {"Content_Type": "multipart/form-data; boundary=B"},
        )
        assert living.ask("POST", "/bulk/contact", body, **headers)[0] == 400
        living.emulator.tick()
        living.emulator.tick()
        assert files(living) == 0
        living.emulator.ledger.file_ahead(io.BytesIO(bytes(3_000_000)))  # and then the process is killed
        living.die()
        assert living.emulator.store.db.execute("SELECT count(DISTINCT job) FROM files").fetchone() == (1,)
        living.emulator.work()
        assert files(living) == 0


# -- callbacks


def test_a_callback_that_was_owed_is_owed_again_with_the_same_bytes(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.instance.configuration[SIGNATURE_KEY] = "key"
        job = living.upload("contact", contacts(1, 2), callback="http://127.0.0.1:9/done")
        living.finish(job)
        living.die()
        (taken,) = living.emulator.take_callbacks()
        living.die()  # it was taken and nobody said what came of it
        (again,) = living.emulator.take_callbacks()
        assert (again.url, again.body, again.headers) == (taken.url, taken.body, taken.headers)
        assert json.loads(again.body)["id"] == job
        living.emulator.callback_tried(again, "delivered", status=200)
        living.die()
        assert living.emulator.take_callbacks() == []


def test_tries_of_a_callback_are_counted_across_restarts(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 2), callback="http://127.0.0.1:9/done"))
        for attempts in range(10):
            (taken,) = living.emulator.take_callbacks()
            assert taken.attempts == attempts
            living.emulator.callback_tried(taken, "failed", failure="refused")
            living.die()
            assert living.emulator.take_callbacks() == []
            living.clock.advance(4.0 ** (attempts + 1))
        assert not living.emulator.has_callbacks


def test_a_callback_that_is_held_back_waits_for_the_next_one_across_restarts(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.instance.faults.add("callback:out_of_order")
        jobs = []
        for first in (1, 10):
            jobs.append(
                living.upload("contact", contacts(first, first + 1), callback="http://127.0.0.1:9/done")
            )
            living.finish(jobs[-1])
            living.die()
            if first == 1:
                assert living.emulator.take_callbacks() == []
        assert [each.job for each in living.emulator.take_callbacks()] == jobs[::-1]


def test_an_early_callback_is_not_sent_twice_by_a_restart_before_the_end(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.instance.faults.add("callback:early")
        job = living.upload("contact", contacts(1, 2), callback="http://127.0.0.1:9/done")
        assert living.status(job) != "COMPLETE"
        (taken,) = living.emulator.take_callbacks()
        living.emulator.callback_tried(taken, "delivered", status=200)
        living.die()
        assert living.finish(job)["status"] == "COMPLETE"
        assert living.emulator.take_callbacks() == []


# -- instances


def test_instances_made_changed_disabled_and_deleted_stay_so(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        made = [
            living.ask("POST", "/instances", {"element": {"key": key}, "configuration": {"a": "1"}})[1]
            for key in ("marketing", "marketing", "marketing")
        ]
        living.ask("PATCH", f"/instances/{made[0]['id']}", {"name": "renamed", "configuration": {"b": "2"}})
        living.ask("DELETE", f"/instances/{made[1]['id']}/enabled")
        living.ask("DELETE", f"/instances/{made[2]['id']}")
        before = living.get("/instances")
        living.die()
        assert living.get("/instances") == before
        assert living.ask("GET", "/contact", token=made[1]["token"])[0] == 403
        assert living.ask("GET", "/contact", token=made[2]["token"])[0] == 401
        living.ask("PUT", f"/instances/{made[1]['id']}/enabled")
        living.die()
        assert living.ask("GET", "/contact", token=made[1]["token"])[0] == 200


def test_numbers_are_never_used_twice(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        first = living.ask("POST", "/instances", {"element": {"key": "marketing"}})[1]
        living.ask("DELETE", f"/instances/{first['id']}")
        job = living.upload("contact", contacts(1, 1))
        living.die()
        second = living.ask("POST", "/instances", {"element": {"key": "marketing"}})[1]
        assert second["id"] > first["id"]
        assert second["token"] != first["token"]
        assert int(living.upload("contact", contacts(1, 1))) > int(job)


def test_nothing_of_a_deleted_instance_is_left_in_the_file(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 2) + ",x,y\n", callback="http://127.0.0.1:9/"))
        living.upload("contact", contacts(1, 3500, wide=BIG))
        living.die()
        living.emulator.close_instance(living.instance)
        db = living.emulator.store.db
        tables = ("instances", "jobs", "files", "callbacks", "transfers", "failures", "collections")
        assert {
            name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables
        } == dict.fromkeys(tables, 0)


# -- records


def test_records_changed_one_by_one_and_their_children_stay(tmp_path: Path) -> None:
    with lives(tmp_path, "sage200") as living:
        customer = living.ask("POST", "/customers", {"reference": "1", "name": "One"})[1]
        gone = living.ask("POST", "/customers", {"reference": "2", "name": "Two"})[1]
        path = f"/customers/{customer['id']}"
        living.ask("PATCH", path, {"website": "example.com"})
        living.ask("DELETE", f"/customers/{gone['id']}")
        child = living.ask("POST", f"{path}/notes", {"text": "a note"})[1]
        before = living.get(path)
        living.die()
        assert living.get(path) == before
        assert before["website"] == "example.com"
        assert living.get(f"{path}/notes") == [child]
        assert living.ask("GET", f"/customers/{gone['id']}")[0] == 404
        assert living.ask("POST", "/customers", {"reference": "1", "name": "Again"})[0] == 409
        living.ask("DELETE", path)
        living.die()
        assert living.ask("GET", f"{path}/notes")[0] == 404


def test_records_that_show_up_late_do_so_after_the_restart(tmp_path: Path) -> None:
    with lives(tmp_path, "sage200") as living:
        urn = living.ask("POST", "/invoices", {"customer_id": 1})[1]["urn"]
        living.die()
        assert living.get("/invoices") == []
        living.clock.advance("1h")
        assert [record["urn"] for record in living.get("/invoices")] == [urn]
