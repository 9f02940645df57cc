"""The examples of docs/fixtures.md; each block of the page is a part of this project."""

from __future__ import annotations

import my_app
import pytest
import requests
import responses

from pytest_ocbulk import BulkClient, MakeOcBulk, OcBulk, Receiver, status


def test_bad_rows_are_told(ocbulk: OcBulk) -> None:
    csv = ocbulk.contacts(20, bad={"email": 2, "duplicate": 1})
    with pytest.raises(my_app.PushFailed) as failed:
        my_app.push(csv.path)
    assert str(failed.value).count("\n") + 1 == len(csv.expected_errors) == 3
    ocbulk.assert_uploaded("contact", csv.good_rows, key="C_EmailAddress")


def test_a_file_that_the_service_cannot_read(ocbulk: OcBulk) -> None:
    csv = ocbulk.contacts(3, delimiter=";")
    with pytest.raises(my_app.PushFailed, match="expected 1 columns as in the header, got 2"):
        my_app.push(csv.path)


def test_an_aborted_job(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED RUNNING x2 ABORTED", error="The endpoint is down for maintenance")
    with ocbulk.clock.drives_sleep(), pytest.raises(my_app.PushFailed, match="down for maintenance"):
        my_app.push(ocbulk.contacts(3).path)


def test_some_rows_fail_at_the_provider(ocbulk: OcBulk) -> None:
    ocbulk.next_job(fail_rows={2: "the record is locked"})
    with pytest.raises(my_app.PushFailed, match="row 2: the record is locked"):
        my_app.push(ocbulk.contacts(3).path)


def test_a_job_by_hand(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED forever")
    service = my_app.Service()
    job = service.upload(ocbulk.contacts(3).path)
    assert service.get(f"bulk/{job}/status")["status"] == "CREATED"
    ocbulk.jobs[job].finish()
    assert service.get(f"bulk/{job}/status")["status"] == "COMPLETE"
    assert ocbulk.jobs[job].records_count == 3


@pytest.mark.ocbulk(connector="sage200", dialect="live", job="CREATED 5s COMPLETE")
def test_another_connector(ocbulk: OcBulk) -> None:
    with ocbulk.clock.drives_sleep():
        assert my_app.push(ocbulk.contacts(3).path) == 3
    assert ocbulk.jobs[0].status == "COMPLETED"


def test_what_is_there_already(ocbulk: OcBulk) -> None:
    ocbulk.seed("contact", [{"C_EmailAddress": "ann@example.com", "C_FirstName": "Ann"}])
    my_app.push(ocbulk.contacts(3).path)
    assert len(ocbulk.records("contact")) == 4
    assert ocbulk.records("contact", "C_FirstName = 'Ann'")[0]["C_EmailAddress"] == "ann@example.com"


def test_calls_are_known(ocbulk: OcBulk) -> None:
    path = ocbulk.contacts(3).path
    my_app.push(path)
    ocbulk.assert_called("upload", times=1, object="contact", file_name=path.name)
    ocbulk.assert_called("errors", times=0)


def test_a_busy_service(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("upload", status(503))
    with pytest.raises(requests.HTTPError, match="503"):
        my_app.push(ocbulk.contacts(3).path)


def test_a_callback(ocbulk: OcBulk, ocbulk_receiver: Receiver) -> None:
    my_app.Service().upload(ocbulk.contacts(3).path, callback=ocbulk_receiver.url)
    ocbulk.jobs[0].finish()
    assert ocbulk_receiver.wait_for().json()["status"] == "COMPLETE"


def test_two_systems(make_ocbulk: MakeOcBulk) -> None:
    sage, marketing = make_ocbulk(connector="sage200"), make_ocbulk()
    assert sage.element_token != marketing.element_token


def test_the_client_of_this_package(ocbulk: OcBulk, ocbulk_client: BulkClient) -> None:
    ocbulk.next_job("CREATED 2s RUNNING 10m COMPLETE")
    job = ocbulk_client.upload("contact", ocbulk.contacts(3).path)
    assert ocbulk_client.wait(job).records_count == 3  # waits on the fake's clock: no time passes


@responses.activate
def test_with_a_mock_of_ones_own(ocbulk: OcBulk) -> None:
    responses.get("https://elsewhere.test/", json={"up": True})
    ocbulk.install_into(responses.mock)
    assert requests.get("https://elsewhere.test/", timeout=5).json() == {"up": True}
    assert my_app.push(ocbulk.contacts(3).path) == 3


def test_no_call_leaves_this_machine(ocbulk: OcBulk) -> None:
    ocbulk.other_hosts = "refuse"
    with pytest.raises(requests.ConnectionError, match="not an address of the fake"):
        requests.get("https://elsewhere.test/", timeout=5)


@pytest.mark.ocbulk(allow="unfinished_job")
def test_nobody_waits(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 2s RUNNING 10m COMPLETE")
    my_app.Service().upload(ocbulk.contacts(3).path)
