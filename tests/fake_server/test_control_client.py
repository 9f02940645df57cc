"""The typed client against a served fake: every method, over a real port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from fake_server.app import FakeServerApp
from fake_server.control import ControlApi
from fake_server.control_client import ControlClient, ControlError, InstanceControl
from fake_server.guard import Guard
from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.server import Server

from ..patience import PATIENCE


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    emulator.create_instance(built_in("marketing"), token="M", user_secret="U", clock=ManualClock())
    yield emulator
    emulator.close()


@pytest.fixture
def control(emulator: Emulator) -> Iterator[ControlClient]:
    with (
        Server(FakeServerApp(emulator, ControlApi(emulator))) as server,
        ControlClient(server.url) as control,
    ):
        yield control


@pytest.fixture
def fake(control: ControlClient) -> InstanceControl:
    return control.instance("M")


def upload(control: ControlClient) -> str:
    answer = requests.post(
        control.url.replace("/__ocbulk__", "/elements/api-v2/bulk/contact"),
        headers={"Authorization": "Element M, User U"},
        files={"file": ("a.csv", b"C_EmailAddress\na@example.com\n")},
        timeout=PATIENCE,
    )
    return str(answer.json()["id"])


def test_the_server_is_looked_at(control: ControlClient) -> None:
    assert control.health()["status"] == "ok"
    assert [each["token"] for each in control.instances()] == ["M"]
    assert control.instance().state()["connector"] == "marketing"
    assert control.openapi()["openapi"].startswith("3.1")
    assert control.call("GET", "/")["calls"]


def test_time_is_moved(control: ControlClient, fake: InstanceControl) -> None:
    assert [each["elapsed"] for each in control.advance("5s")] == [5]
    assert fake.advance(2)["elapsed"] == 7
    assert fake.clock() == control.clocks()[0]


def test_jobs_are_planned_and_moved(control: ControlClient, fake: InstanceControl) -> None:
    plan = fake.next_job("CREATED 1h COMPLETE", object="contact", fail_rows={1: "bad"}, times=4)
    assert fake.timelines() == [plan] * 4
    for _ in range(3):
        upload(control)
    fake.clear_timelines()
    assert fake.timelines() == []
    assert fake.advance_job("1234")["status"] == "COMPLETE"
    assert fake.finish_job("1235")["failed"] == 1
    assert fake.fail_job("1236", "quota")["error"] == "quota"
    assert [each["status"] for each in fake.jobs()] == ["COMPLETE", "COMPLETE", "ABORTED"]
    assert fake.job("1236") == fake.jobs()[2]


def test_faults_are_planned(control: ControlClient, fake: InstanceControl) -> None:
    fake.add_fault("upload:reset:after")
    with pytest.raises(requests.ConnectionError):
        upload(control)
    assert [(each["fault"], each["fired"]) for each in fake.faults()] == [("upload:reset:after", 1)]
    fake.clear_faults("upload")
    assert fake.faults() == []


def test_records_are_put_there(fake: InstanceControl) -> None:
    assert fake.seed("contact", [{"C_EmailAddress": "a@example.com"}]) == 1
    assert fake.set_visibility("5s", 0.5) == fake.visibility() == {"lag": 5.0, "partial": 0.5}
    assert fake.state()["objects"] == {"contact": 1}


def test_what_happened_is_told(control: ControlClient, fake: InstanceControl) -> None:
    for _ in range(2):
        upload(control)
    assert [each["operation"] for each in fake.journal("upload", "1234")["exchanges"]] == ["upload"]
    assert len(fake.har()["log"]["entries"]) == 2
    assert fake.warnings()[0].startswith("contact: row 1 uploaded twice")
    fake.clear_journal()
    assert fake.journal()["exchanges"] == []


def test_a_fake_is_reset(control: ControlClient, fake: InstanceControl) -> None:
    upload(control)
    fake.reset()
    assert fake.jobs() == []
    upload(control)
    assert control.reset() == ["M"]
    assert fake.jobs() == []


def test_a_refusal_is_an_error_in_the_servers_words(fake: InstanceControl) -> None:
    with pytest.raises(ControlError) as refusal:
        fake.job("a/b")
    assert refusal.value.status == 404
    assert str(refusal.value) == "there is no job 'a/b'; no job was created so far"


def test_the_control_token_is_sent(emulator: Emulator) -> None:
    api = ControlApi(emulator, guard=Guard("0.0.0.0", token="s3cret"))
    with Server(FakeServerApp(emulator, api)) as server:
        with ControlClient(server.url, "s3cret") as control:
            assert control.health()["status"] == "ok"
        with ControlClient(server.url) as stranger, pytest.raises(ControlError) as refusal:
            stranger.reset()
        assert refusal.value.status == 401


def test_a_server_that_is_none_is_told(emulator: Emulator) -> None:
    with (
        Server(emulator) as server,
        ControlClient(server.url) as control,
        pytest.raises(ControlError) as refusal,
    ):
        control.health()
    assert refusal.value.status == 404


def test_an_answer_that_is_no_json_is_told(control: ControlClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = requests.Response()
    answer.status_code, answer.reason, answer.url, answer._content = (
        502,
        "Bad Gateway",
        "http://x/",
        b"<html>",
    )
    monkeypatch.setattr(requests.Session, "request", lambda *args, **kwargs: answer)
    with pytest.raises(ControlError) as refusal:
        control.health()
    assert str(refusal.value) == "expected a control answer from http://x/, got 502 Bad Gateway"
