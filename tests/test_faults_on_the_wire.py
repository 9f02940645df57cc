"""Faults through the real port, as foreign clients meet them: real resets, cut bodies, pauses, slow readings."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from pytest_ocbulk.emulator.faults.kinds import (
    empty,
    latency,
    malformed_json,
    rate_limit,
    reset,
    reset_upload,
    slow_upload,
    stall,
    stall_upload,
    status,
    truncate,
)
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.server import Server

from .emulator.asking import Asked, contacts, form
from .patience import PATIENCE

CSV = contacts("ann", "bob")
BODY, HEADERS = form(CSV)
MOMENT = 0.05
"""Seconds that an accident lasts: long beside a call, short beside a test."""


@dataclass
class Wire:
    """An instance behind a real port."""

    fake: Asked
    server: Server

    @property
    def instance(self) -> Instance:
        return self.fake.instance

    @property
    def base_url(self) -> str:
        return self.server.url + BASE_PATH

    def get(self, path: str, timeout: float | tuple[float, float] = PATIENCE) -> requests.Response:
        return requests.get(self.base_url + path, headers=self.fake.authorization, timeout=timeout)

    def upload(self, session: requests.Session | None = None) -> requests.Response:
        post = (session or requests).post
        return post(
            f"{self.base_url}/bulk/contact",
            data=BODY,
            headers={**HEADERS, **self.fake.authorization},
            timeout=PATIENCE,
        )

    def wait_until_fired(self) -> None:
        """Each of these calls lets the server go on by a turn at least."""
        patience = time.monotonic() + PATIENCE
        while not self.instance.faults.fired:
            assert time.monotonic() < patience, "no fault was fired"
            self.get("/ping")

    def send_upload(self) -> socket.socket:
        """A socket through which an upload was sent."""
        connection = socket.create_connection((self.server.host, self.server.port), timeout=PATIENCE)
        lines = {**HEADERS, **self.fake.authorization, "Host": "x", "Content-Length": str(len(BODY))}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(f"POST {BASE_PATH}/bulk/contact HTTP/1.1\r\n{head}\r\n".encode())
        connection.sendall(BODY)
        return connection


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Asked(background=True) as fake, Server(fake.emulator) as server:
        yield Wire(fake, server)


def test_a_reset_after_the_work_is_a_real_one_and_the_job_exists(wire: Wire) -> None:
    wire.instance.faults.on("upload", reset(), phase="after")
    with wire.send_upload() as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    (job,) = wire.instance.jobs
    assert wire.get(f"/bulk/{job}/status").json()["recordsCount"] == 2


def test_a_reset_before_the_work_is_a_real_one_and_no_job_exists(wire: Wire) -> None:
    wire.instance.faults.on("upload", reset())
    with wire.send_upload() as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert wire.instance.jobs == {}
    assert wire.upload().status_code == 200


def test_a_client_that_retries_blindly_after_a_lost_answer_makes_two_jobs_and_does_not_know(
    wire: Wire,
) -> None:
    wire.instance.faults.on("upload", reset(), phase="after")
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(3, allowed_methods=None, backoff_factor=0)))
        answer = wire.upload(session)
    assert (answer.status_code, answer.json()["id"], list(wire.instance.jobs)) == (
        200,
        "1235",
        ["1234", "1235"],
    )


def test_a_client_that_waits_as_it_is_told_gets_through_a_rate_limit(wire: Wire) -> None:
    wire.instance.faults.on("objects", rate_limit(0), times=2)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[429])))
        url = f"{wire.base_url}/objects"
        assert session.get(url, headers=wire.fake.authorization, timeout=PATIENCE).status_code == 200
    assert [each.status for each in wire.instance.journal] == [429, 429, 200]


def test_an_error_is_the_same_for_every_client(wire: Wire) -> None:
    wire.instance.faults.on("objects", status(503, "Down"), times=2)
    first = wire.get("/objects")
    second = httpx.get(f"{wire.base_url}/objects", headers=wire.fake.authorization, timeout=PATIENCE)
    assert (first.status_code, first.json()["message"]) == (second.status_code, second.json()["message"])
    assert (first.status_code, first.json()["message"]) == (503, "Down")


def test_an_answer_that_is_cut_is_shorter_than_it_said(wire: Wire) -> None:
    wire.instance.faults.on("objects", truncate(10))
    connection = http.client.HTTPConnection(wire.server.host, wire.server.port, timeout=PATIENCE)
    connection.request("GET", f"{BASE_PATH}/objects", headers=wire.fake.authorization)
    with pytest.raises(http.client.IncompleteRead) as error:
        connection.getresponse().read()
    connection.close()
    assert (error.value.partial, error.value.expected) == (b'["activiti', 46)


def test_a_download_that_is_cut_breaks_off_for_requests_too(wire: Wire) -> None:
    wire.upload()
    query = requests.post(
        f"{wire.base_url}/bulk/query",
        params={"q": "select * from contact"},
        headers=wire.fake.authorization,
        timeout=PATIENCE,
    ).json()
    wire.instance.faults.on("download", truncate(20))
    assert wire.get(f"/bulk/{query['id']}/status").json()["status"] == "COMPLETED"
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        wire.get(f"/bulk/{query['id']}/contact")
    assert b"ann@example.com" in wire.get(f"/bulk/{query['id']}/contact").content


def test_an_answer_that_stalls_runs_into_the_clients_timeout(wire: Wire) -> None:
    wire.instance.faults.on("objects", stall(10, 10 * PATIENCE))
    connection = http.client.HTTPConnection(wire.server.host, wire.server.port, timeout=PATIENCE)
    connection.request("GET", f"{BASE_PATH}/objects", headers=wire.fake.authorization)
    answer = connection.getresponse()
    assert answer.read(10) == b'["activiti'
    connection.sock.settimeout(MOMENT)
    with pytest.raises(TimeoutError):
        answer.read()
    connection.close()


def test_an_answer_that_stalls_for_a_moment_arrives_whole(wire: Wire) -> None:
    whole = wire.get("/objects").content
    wire.instance.faults.on("objects", stall(10, MOMENT))
    start = time.monotonic()
    assert wire.get("/objects").content == whole
    assert time.monotonic() - start >= MOMENT


def test_a_late_answer_runs_into_the_clients_timeout(wire: Wire) -> None:
    wire.instance.faults.on("objects", latency(10 * PATIENCE))
    with pytest.raises(requests.exceptions.ReadTimeout):
        wire.get("/objects", timeout=(PATIENCE, MOMENT))


def test_a_late_answer_is_late_by_real_time_and_keeps_nobody_else_waiting(wire: Wire) -> None:
    wire.instance.faults.on("objects", latency(10 * PATIENCE))
    with socket.create_connection((wire.server.host, wire.server.port), timeout=PATIENCE) as waiting:
        lines = "".join(f"{name}: {value}\r\n" for name, value in wire.fake.authorization.items())
        waiting.sendall(f"GET {BASE_PATH}/objects HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        wire.wait_until_fired()
        assert wire.get("/objects").status_code == 200


@pytest.mark.parametrize("fault", [malformed_json(), empty()])
def test_an_answer_without_json_is_one_for_the_client_to_notice(wire: Wire, fault: Any) -> None:
    wire.instance.faults.on("objects", fault)
    answer = wire.get("/objects")
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


# -- the body of a request ----------------------------------------------------------------------------------


def test_an_upload_that_is_reset_on_its_way_is_no_upload(wire: Wire) -> None:
    wire.instance.faults.on("upload", reset_upload(50))
    with pytest.raises(requests.exceptions.ConnectionError):
        wire.upload()
    assert wire.instance.jobs == {}
    assert [(each.operation, each.status, each.fault) for each in wire.instance.journal] == [
        ("upload", 0, "upload:reset_upload:50")
    ]


def test_an_upload_that_is_reset_at_its_very_end_is_no_upload(wire: Wire) -> None:
    wire.instance.faults.on("upload", reset_upload(10**9))
    with wire.send_upload() as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert wire.instance.jobs == {}


def test_an_upload_that_stalls_arrives_later_and_whole(wire: Wire) -> None:
    wire.instance.faults.on("upload", stall_upload(50, MOMENT))
    start = time.monotonic()
    answer = wire.upload()
    assert time.monotonic() - start >= MOMENT
    assert wire.get(f"/bulk/{answer.json()['id']}/status").json()["recordsCount"] == 2
    assert [each.fault for each in wire.instance.journal] == ["upload:stall_upload:50:50ms", ""]


def test_an_upload_is_read_as_slowly_as_planned(wire: Wire) -> None:
    pace = int(len(BODY) / MOMENT)
    wire.instance.faults.on("upload", slow_upload(pace))
    start = time.monotonic()
    answer = wire.upload()
    assert time.monotonic() - start >= MOMENT
    assert json.loads(answer.content)["status"] == "CREATED"
    wire.upload()
    assert [each.fault for each in wire.instance.journal] == [f"upload:slow_upload:{pace}", ""]


def test_an_upload_that_stalls_keeps_nobody_else_waiting(wire: Wire) -> None:
    wire.instance.faults.on("upload", stall_upload(50, 10 * PATIENCE))
    with wire.send_upload():
        wire.wait_until_fired()
        assert wire.upload().status_code == 200
