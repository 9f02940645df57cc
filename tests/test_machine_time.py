"""What a test makes of the `time` module is its own affair: our servers go on."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from unittest import mock
from urllib.parse import urlsplit

import pytest
import requests

from pytest_ocbulk import OcBulk, Receiver, machine_time

from .patience import PATIENCE

LARGE = b"C_EmailAddress\n" + b"".join(b"p%d@example.com\n" % number for number in range(30_000))
"""Too large to be applied at once: the server's threads have to do it, in many slices."""


def complete(fake: OcBulk, job: str) -> bool:
    """Whether a job is complete before the patience of all tests ends, without the time module."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        answer = requests.get(f"{fake.base_url}/bulk/{job}/status", headers=fake.headers, timeout=PATIENCE)
        if answer.json()["status"] == "COMPLETE":
            return True
        pause.wait(0.01)
    return False


def upload(fake: OcBulk) -> str:
    """Upload the large file; return its job."""
    url, files = f"{fake.base_url}/bulk/contact", {"file": ("a.csv", LARGE)}
    return str(requests.post(url, headers=fake.headers, files=files, timeout=PATIENCE).json()["id"])


def test_a_server_works_on_while_a_test_has_stopped_the_clock(
    ocbulk_server: OcBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    assert complete(ocbulk_server, upload(ocbulk_server))


def test_a_mock_of_sleep_hears_of_the_clients_sleeps_alone(ocbulk_server: OcBulk) -> None:
    with mock.patch("time.sleep") as sleep:
        assert complete(ocbulk_server, upload(ocbulk_server))
        time.sleep(3)
    assert sleep.mock_calls == [mock.call(3)]


def test_a_server_answers_although_a_test_has_broken_the_clock(ocbulk_server: OcBulk) -> None:
    address = urlsplit(ocbulk_server.base_url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE)
    with closing(connection), mock.patch("time.monotonic", side_effect=RuntimeError("no more times")):
        connection.request("GET", f"{address.path}/objects", headers=ocbulk_server.headers)
        assert connection.getresponse().status == 200


def test_a_callback_arrives_while_a_test_has_stopped_the_clock(
    ocbulk_server: OcBulk, ocbulk_receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    headers = {**ocbulk_server.headers, "Elements-Async-Callback-Url": ocbulk_receiver.url}
    files = {"file": ("a.csv", LARGE)}
    requests.post(
        f"{ocbulk_server.base_url}/bulk/contact", headers=headers, files=files, timeout=PATIENCE
    ).raise_for_status()
    assert ocbulk_receiver.wait_for(timeout=PATIENCE).json()["status"] == "COMPLETE"


@pytest.mark.parametrize("name", ["sleep", "monotonic", "perf_counter"])
def test_the_functions_are_not_those_that_can_be_patched(name: str) -> None:
    with mock.patch(f"time.{name}") as patched:
        getattr(machine_time, name)(*[0] * (name == "sleep"))
    assert not patched.mock_calls
