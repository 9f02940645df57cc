"""The three tests of the README's first screen."""

from __future__ import annotations

import my_app

from pytest_ocbulk import OcBulk, reset


def test_contacts_arrive(ocbulk: OcBulk) -> None:
    csv = ocbulk.contacts(3)  # Faker contacts, seeded by the test's name
    my_app.push(csv.path)  # your code, plain `requests`, untouched
    ocbulk.assert_uploaded("contact", csv.rows, key="C_EmailAddress")


def test_a_slow_job_is_waited_for(ocbulk: OcBulk) -> None:
    path = ocbulk.contacts(3).path
    ocbulk.next_job("CREATED 2s RUNNING 10m COMPLETE")
    with ocbulk.clock.drives_sleep():  # time.sleep() moves the fake's clock, not the wall's
        my_app.push(path)


def test_a_lost_answer_is_not_uploaded_twice(ocbulk_server: OcBulk) -> None:
    path = ocbulk_server.contacts(3).path
    ocbulk_server.faults.on("upload", reset(), phase="after")  # job is created, the answer never arrives
    my_app.push(path, base_url=ocbulk_server.base_url)
    ocbulk_server.assert_no_duplicate_uploads()
