"""An upload whose answer gets lost on the way from the fake: exactly its own job is found, or none."""

from __future__ import annotations

import json

from ..served import Served
from .conftest import CSV, Run

LOST_ON_ITS_WAY, LOST_ON_THE_WAY_BACK = "upload:reset", "upload:reset:after"


def test_an_equal_upload_of_somebody_else_is_not_taken_for_ones_own(
    run: Run, people: str, fake: Served
) -> None:
    """The fault strikes before the work, so that no job comes of it."""
    with fake.client() as client:
        client.upload("contact", CSV.encode(), file_name=people)
    run("upload", people, "--object", "contact")
    fake.instance.faults.add(LOST_ON_ITS_WAY)
    ended = run("upload", people, "--object", "contact", "--wait")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("Error: No job came of the upload. It can be sent again.\n")
    assert len(fake.instance.jobs) == 2


def test_its_own_job_is_found_among_equal_ones(run: Run, people: str, fake: Served) -> None:
    upload = ["upload", people, "--object", "contact", "--action", "upsert", "--key", "C_EmailAddress"]
    run(*upload)
    fake.instance.faults.add(LOST_ON_THE_WAY_BACK)
    ended = run(*upload, "--wait")
    _, mine = fake.instance.jobs
    assert ended.code == 0
    assert f"Job {mine} came of it.\n" in ended.err


def test_a_payload_of_ones_own_is_sent_as_it_is(run: Run, people: str, fake: Served) -> None:
    run("upload", people, "--object", "contact", "--metadata", '{"callback-payload": {"run": 1}}')
    (job,) = fake.instance.jobs.values()
    assert json.loads(job.metadata or "") == {"callback-payload": {"run": 1}}
