"""Jobs on their way: moved by time and by hand, worked off in slices, ended in the order of their instants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.jobs import Job

from ..patience import PATIENCE
from .asking import Asked, contacts

CSV = contacts("ann", "bob")
LARGE = contacts(*(f"name{number}" for number in range(12_000)))
"""More than is applied in a tick where a worker is at hand."""


@pytest.fixture
def fake() -> Iterator[Asked]:
    with Asked() as asked:
        yield asked


@pytest.fixture
def server() -> Iterator[Asked]:
    """An emulator whose large uploads wait for somebody to call `work`."""
    with Asked(background=True) as asked:
        yield asked


def planned(fake: Asked, timeline: str, csv: bytes = CSV) -> Job:
    """A job on its way."""
    fake.instance.plans.next_job(timeline)
    return fake.instance.jobs[fake.upload(csv)]


# -- by time ------------------------------------------------------------------------------------------------


def test_one_look_after_a_long_time_sees_all_that_happened_at_its_instants(fake: Asked) -> None:
    job = planned(fake, "CREATED 2s RUNNING 10m COMPLETE")
    fake.clock.advance("1d")
    assert fake.status(job.id) == "COMPLETED"
    assert [(each.status, each.at - job.created) for each in job.events] == [
        ("CREATED", 0.0),
        ("RUNNING", 2.0),
        ("COMPLETED", 602.0),
    ]


def test_jobs_that_were_due_end_in_the_order_of_their_instants(fake: Asked) -> None:
    late = planned(fake, "CREATED 10s COMPLETE", b"C_EmailAddress,C_FirstName\na@example.com,late\n")
    early = planned(fake, "CREATED 5s COMPLETE", b"C_EmailAddress,C_FirstName\nb@example.com,early\n")
    fake.clock.advance("1m")
    assert [each["C_FirstName"] for each in fake.get("/contact")] == ["early", "late"]
    assert (early.finished, late.finished) == (fake.clock.started + 5, fake.clock.started + 10)


def test_what_is_due_next_is_told_until_nothing_is(fake: Asked) -> None:
    planned(fake, "CREATED 2s RUNNING x1 COMPLETE")
    assert fake.emulator.next_due() == 2.0
    fake.clock.advance("2s")
    assert fake.emulator.next_due() == 0.0
    fake.emulator.tick()
    assert fake.emulator.next_due() is None


# -- by hand ------------------------------------------------------------------------------------------------


def test_a_job_advances_one_step_whatever_it_waits_for(fake: Asked) -> None:
    job = planned(fake, "CREATED 1h STARTED x9 RUNNING 1d COMPLETE")
    seen = [job.status]
    while not job.terminal:
        fake.emulator.advance_job(fake.instance, job)
        seen.append(job.status)
    assert seen == ["CREATED", "STARTED", "RUNNING", "COMPLETED"]
    assert len(fake.get("/contact")) == 2


@pytest.mark.parametrize(
    ("timeline", "end"),
    [
        ("CREATED 1h RUNNING x5 COMPLETE", "COMPLETED"),
        ("CREATED 1h ABORTED", "ABORTED"),
        ("CREATED RUNNING forever", "COMPLETED"),
        ("CREATED forever", "COMPLETED"),
        ("CREATED 'QUEUED_V2' forever", "COMPLETED"),
        ("CREATED CANCELLATION_PENDING forever", "CANCELLED"),
    ],
)
def test_a_job_finishes_at_the_end_of_its_timeline_or_well(fake: Asked, timeline: str, end: str) -> None:
    job = planned(fake, timeline)
    fake.emulator.tick()
    fake.emulator.finish_job(fake.instance, job)
    assert (job.status, len(fake.get("/contact"))) == (end, 2 if end == "COMPLETED" else 0)


@pytest.mark.parametrize("status", ["ABORTED", "ERROR"])
def test_a_job_fails_with_the_given_error_whatever_its_timeline(fake: Asked, status: str) -> None:
    job = planned(fake, "CREATED RUNNING 1h COMPLETE")
    fake.emulator.fail_job(fake.instance, job, "disk full", status)
    shown = fake.get(f"/bulk/{job.id}/status")
    assert (shown["status"], shown["error"], fake.get("/contact")) == (status, "disk full", [])


def fail(emulator: Emulator, instance: Instance, job: Job) -> None:
    emulator.fail_job(instance, job, "why")


@pytest.mark.parametrize("move", [Emulator.advance_job, Emulator.finish_job, fail])
def test_a_job_that_has_ended_is_not_moved(fake: Asked, move: Callable[..., Any]) -> None:
    job = planned(fake, "CREATED ABORTED")
    fake.status(job.id)
    with pytest.raises(OcBulkError) as error:
        move(fake.emulator, fake.instance, job)
    assert str(error.value) == "job 1234 is ABORTED already, which is final"
    assert len(job.events) == 2


def test_a_job_that_stays_for_ever_does_not_advance(fake: Asked) -> None:
    job = planned(fake, "CREATED RUNNING forever")
    fake.emulator.tick()
    with pytest.raises(OcBulkError) as error:
        fake.emulator.advance_job(fake.instance, job)
    assert str(error.value) == "job 1234 stays RUNNING for ever; finish() or fail() it"


def test_a_job_cannot_fail_as_complete(fake: Asked) -> None:
    job = planned(fake, "CREATED forever")
    with pytest.raises(OcBulkError) as error:
        fake.emulator.fail_job(fake.instance, job, "why", "COMPLETED")
    assert str(error.value) == "a job fails as ABORTED or ERROR, got 'COMPLETED'"


# -- in slices ----------------------------------------------------------------------------------------------


def test_a_large_upload_is_running_until_a_worker_has_applied_it(server: Asked) -> None:
    job = planned(server, "CREATED COMPLETE", LARGE)
    counts = []
    while server.status(job.id) == "RUNNING":
        counts.append(job.records)
        server.emulator.work()
    assert (counts[0], counts == sorted(counts), job.records) == (0, True, 12_000)
    assert server.emulator.work() is False


def test_there_is_work_from_the_beginning_of_a_large_upload_to_its_end(server: Asked) -> None:
    job = planned(server, "CREATED COMPLETE", LARGE)
    told = [server.emulator.has_work]
    server.status(job.id)
    told.append(server.emulator.has_work)
    while server.emulator.work():
        told.append(server.emulator.has_work)
    told.append(server.emulator.has_work)
    assert told == [False, *[True] * (len(told) - 2), False]
    assert len(told) > 3


def test_two_large_uploads_take_turns(server: Asked) -> None:
    first, second = (planned(server, "CREATED COMPLETE", LARGE) for _ in range(2))
    server.emulator.tick()
    for _ in range(6):
        server.emulator.work()
    assert first.records > 0
    assert first.records == second.records


def test_a_large_upload_that_is_finished_by_hand_is_applied_to_its_end(server: Asked) -> None:
    job = planned(server, "CREATED 1h COMPLETE", LARGE)
    server.emulator.finish_job(server.instance, job)
    assert job.status == "RUNNING"
    while server.emulator.work():
        pass
    assert (job.status, job.records) == ("COMPLETED", 12_000)


def test_a_large_upload_that_fails_in_the_middle_keeps_what_was_applied(server: Asked) -> None:
    job = planned(server, "CREATED COMPLETE", LARGE)
    server.status(job.id)
    server.emulator.work()
    server.emulator.fail_job(server.instance, job, "connection to the provider lost")
    assert server.emulator.work() is False
    shown = server.get(f"/bulk/{job.id}/status")
    assert (shown["status"], shown["error"]) == ("ABORTED", "connection to the provider lost")
    assert 0 < shown["recordsCount"] < 12_000


def end_by_cancelling(fake: Asked, job: Job) -> None:
    fake.answer("PUT", f"/bulk/{job.id}/cancel")
    assert fake.status(job.id) == "CANCELLED"


def end_by_failing(fake: Asked, job: Job) -> None:
    fake.emulator.fail_job(fake.instance, job, "why")


def end_by_closing(fake: Asked, job: Job) -> None:
    fake.emulator.close_instance(fake.instance)


@pytest.mark.parametrize("end", [end_by_cancelling, end_by_failing, end_by_closing])
def test_a_job_that_ends_while_a_worker_reads_its_file_is_not_closed_under_it(
    server: Asked, monkeypatch: pytest.MonkeyPatch, end: Callable[[Asked, Job], None]
) -> None:
    job = planned(server, "CREATED COMPLETE", LARGE)
    server.status(job.id)
    (task,) = server.emulator.runner._tasks.values()
    reading, go_on, closed_while_reading, prepare = (
        threading.Event(),
        threading.Event(),
        [],
        task.work.prepare,
    )

    def prepare_slowly() -> Any:
        reading.set()
        assert go_on.wait(PATIENCE)
        closed_while_reading.append(task.work.file.closed)  # type: ignore[attr-defined]  # an Application
        return prepare()

    monkeypatch.setattr(task.work, "prepare", prepare_slowly)
    worker = threading.Thread(target=server.emulator.work, daemon=True)
    worker.start()
    assert reading.wait(PATIENCE)
    end(server, job)
    go_on.set()
    worker.join(PATIENCE)
    assert closed_while_reading == [False]
    assert task.work.file.closed  # type: ignore[attr-defined]  # an Application
    assert job.records == 0


# -- without room -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("background", [False, True])
def test_a_full_disk_ends_the_job_and_leaves_out_no_rows_in_silence(background: bool) -> None:
    with Asked(background=background) as fake:
        database = fake.emulator.store.db
        used = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {used + 50}")
        job = fake.instance.jobs[fake.upload(LARGE)]
        fake.status(job.id)
        while fake.emulator.work():
            pass
        assert (fake.status(job.id), job.error) == (
            "ABORTED",
            "The fake could not write the rows: database or disk is full",
        )
        assert fake.get("/contact") == []
        database.execute(f"PRAGMA max_page_count = {used + 5000}")
        again = fake.instance.jobs[fake.upload(LARGE)]
        fake.status(again.id)
        while fake.emulator.work():
            pass
        assert (fake.status(again.id), again.records, again.failed) == ("COMPLETED", 12_000, 0)
