"""Waiting for a job, on a clock that the client's own sleeping moves."""

from __future__ import annotations

import pytest
import requests
import responses

from pytest_ocbulk.client import (
    BulkClient,
    ConfigurationError,
    ConnectionFailed,
    JobStatusReport,
    NotFound,
    UnknownStatus,
    WaitTimedOut,
)

from .stand_ins import BASE, Time, make


def statuses(service: responses.RequestsMock, *words: str) -> None:
    """Answer the status calls of job 7 with these words, the last one for ever."""
    for word in words:
        service.get(f"{BASE}/bulk/7/status", json={"id": "7", "status": word})


def test_waiting_asks_at_growing_intervals_up_to_the_longest(
    client: BulkClient, service: responses.RequestsMock, time: Time
) -> None:
    statuses(service, *["RUNNING"] * 6, "COMPLETED")
    assert client.wait("7", interval=1, longest_interval=4).status == "COMPLETED"
    assert time.slept == [1, 1.5, 2.25, 3.375, 4, 4]


@pytest.mark.parametrize(
    "word", ["COMPLETE", "SUCCESS", "WARNING", "ABORTED", "ERROR", "CANCELLED", "CANCELED"]
)
def test_waiting_stops_at_every_final_word_without_sleeping(
    client: BulkClient, service: responses.RequestsMock, time: Time, word: str
) -> None:
    statuses(service, word)
    assert client.wait("7").status == word
    assert time.slept == []


def test_waiting_polls_a_last_time_when_the_time_is_up(
    client: BulkClient, service: responses.RequestsMock, time: Time
) -> None:
    statuses(service, "CREATED", "RUNNING", "RUNNING", "COMPLETE")
    assert client.wait("7", timeout=3, interval=1).status == "COMPLETE"
    assert time.slept == [1, 1.5, 0.5]


def test_waiting_gives_up_with_the_last_report(client: BulkClient, service: responses.RequestsMock) -> None:
    statuses(service, "CREATED", "RUNNING")
    with pytest.raises(WaitTimedOut) as caught:
        client.wait("7", timeout=1, interval=1)
    assert str(caught.value) == "job 7 is still RUNNING after 1 s"
    assert caught.value.report == JobStatusReport("7", "RUNNING")
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("longest", [30.0, 0])
def test_waiting_asked_for_without_pauses_has_pauses_all_the_same(
    client: BulkClient, service: responses.RequestsMock, time: Time, longest: float
) -> None:
    statuses(service, "CREATED", "RUNNING", "RUNNING", "COMPLETE")
    assert client.wait("7", timeout=None, interval=0, longest_interval=longest).status == "COMPLETE"
    assert time.slept == [0.05, 0.05 * 1.5 if longest else 0.05]  # and none before the second look


@pytest.mark.parametrize("name", ["timeout", "interval", "longest_interval"])
@pytest.mark.parametrize("value", [-1, -0.001, float("nan"), "1s"])
def test_a_time_that_is_none_is_refused_before_anything_is_asked(
    client: BulkClient, service: responses.RequestsMock, name: str, value: object
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        client.wait("7", **{name: value})  # type: ignore[arg-type]  # that is the point
    assert str(refused.value) == f"{name} must be a number of seconds, 0 or more, got {value!r}"
    assert len(service.calls) == 0


def test_each_report_is_handed_on_while_waiting(client: BulkClient, service: responses.RequestsMock) -> None:
    statuses(service, "CREATED", "RUNNING", "COMPLETE")
    seen: list[str] = []
    client.wait("7", on_poll=lambda report: seen.append(report.status))
    assert seen == ["CREATED", "RUNNING", "COMPLETE"]


def test_an_unknown_word_counts_as_running_and_warns_once(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    statuses(service, "FINISHING", "FINISHING", "COMPLETE")
    with pytest.warns(UnknownStatus) as warned:
        assert client.wait("7").status == "COMPLETE"
    told = [str(each.message) for each in warned]
    assert told == ["job 7 has the unknown status 'FINISHING'; taken for still running"]
    assert warned[0].filename == __file__


def test_waiting_obeys_retry_after_and_goes_on(
    client: BulkClient, service: responses.RequestsMock, time: Time
) -> None:
    service.get(
        f"{BASE}/bulk/7/status", status=429, json={"message": "slow down"}, headers={"Retry-After": "17"}
    )
    statuses(service, "COMPLETE")
    assert client.wait("7").status == "COMPLETE"
    assert time.slept == [17]


def test_waiting_does_not_ask_again_sooner_than_told_even_at_its_deadline(
    client: BulkClient, service: responses.RequestsMock, time: Time
) -> None:
    service.get(
        f"{BASE}/bulk/7/status", status=429, json={"message": "slow down"}, headers={"Retry-After": "17"}
    )
    with pytest.raises(WaitTimedOut) as caught:
        client.wait("7", timeout=10)
    assert str(caught.value) == (
        "job 7 is without a status after 10 s; the last call failed:"
        " GET /bulk/7/status was answered 429: slow down"
    )
    assert time.slept == []


def test_waiting_ends_at_an_outage(client: BulkClient, service: responses.RequestsMock, time: Time) -> None:
    service.get(f"{BASE}/bulk/7/status", body=requests.ConnectionError("no route to host"))
    with pytest.raises(ConnectionFailed, match=rf"^GET /bulk/7/status at {BASE}: no route to host$"):
        client.wait("7", timeout=None)
    assert len(service.calls) == 8


def test_waiting_for_an_unknown_job_fails_at_once(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.get(f"{BASE}/bulk/7/status", status=404, json={"message": "No job found with ID 7"})
    with pytest.raises(NotFound):
        client.wait("7")


def test_a_replaced_sleep_is_obeyed_by_a_client_made_before(
    service: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses(service, "RUNNING", "COMPLETE")
    client = make()
    time = Time()
    monkeypatch.setattr("time.sleep", time.sleep)
    monkeypatch.setattr("time.monotonic", time.clock)
    client.wait("7", interval=600, longest_interval=600)
    assert time.slept == [600]
