"""Callbacks on their way: posted, tried again, refused, written down; and never the job's trouble."""

from __future__ import annotations

import logging
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
import responses
from urllib3.util import parse_url

from pytest_ocbulk.delivery import Deliverer, absolute
from pytest_ocbulk.emulator.callbacks import Callback
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.faults.kinds import bad_signature, early, never, out_of_order, twice
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.emulator.timeline import Timeline
from pytest_ocbulk.receiver import Receiver
from pytest_ocbulk.server import Server
from pytest_ocbulk.system_clock import SystemClock

from .emulator.asking import SIGNATURE_KEY, Asked, contacts, form
from .patience import PATIENCE
from .ports import closed_port

CSV = contacts("ann", "bob")


@pytest.fixture
def fake() -> Iterator[Asked]:
    with Asked(configuration={SIGNATURE_KEY: "secret"}) as asked:
        yield asked


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver("secret") as listening:
        yield listening


@pytest.fixture
def deliverer(fake: Asked) -> Deliverer:
    return Deliverer(fake.emulator, timeout=PATIENCE)


def ended(fake: Asked, url: str) -> str:
    """A job that has ended and is to call back."""
    job = fake.upload(CSV, callback=url)
    fake.status(job)
    return job


def outcomes(fake: Asked) -> list[tuple[str, str]]:
    return [(each.outcome, each.failure) for each in fake.instance.callbacks]


# -- what arrives -------------------------------------------------------------------------------------------


def test_what_arrives_is_what_was_signed(fake: Asked, deliverer: Deliverer, receiver: Receiver) -> None:
    job = ended(fake, receiver.url)
    (attempt,) = deliverer.deliver_due()
    (arrived,) = receiver.received
    assert arrived.json() == fake.get(f"/bulk/{job}/status")
    assert (arrived.verified, arrived.headers["content-type"]) == (True, "application/json;charset=UTF-8")
    assert (attempt.outcome, attempt.status, attempt.body) == ("delivered", 200, arrived.body)
    assert list(fake.instance.callbacks) == [attempt]
    assert deliverer.deliver_due() == []


def test_delivering_lets_happen_what_is_due(fake: Asked, deliverer: Deliverer, receiver: Receiver) -> None:
    fake.instance.plans.next_job("CREATED 10s COMPLETE")
    fake.upload(CSV, callback=receiver.url)
    assert deliverer.deliver_due() == []
    fake.clock.advance("10s")
    assert len(deliverer.deliver_due()) == len(receiver.received) == 1


@pytest.mark.parametrize("status", [201, 202, 204, 299])
def test_every_status_of_success_is_one(
    fake: Asked, deliverer: Deliverer, receiver: Receiver, status: int
) -> None:
    receiver.answer_with(status)
    ended(fake, receiver.url)
    assert [(each.outcome, each.status) for each in deliverer.deliver_due()] == [("delivered", status)]


# -- what does not arrive -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (500, "the receiver answered 500"),
        (404, "the receiver answered 404"),
        (302, "the receiver answered 302; redirects are not followed"),
    ],
)
def test_a_refusal_is_tried_again_when_the_clock_has_moved(
    fake: Asked, deliverer: Deliverer, receiver: Receiver, status: int, failure: str
) -> None:
    receiver.answer_with(status, status)
    ended(fake, receiver.url)
    deliverer.deliver_due()
    assert deliverer.deliver_due() == []
    fake.clock.advance("4s")
    deliverer.deliver_due()
    fake.clock.advance("16s")
    deliverer.deliver_due()
    assert outcomes(fake) == [("failed", failure), ("failed", failure), ("delivered", "")]
    assert [each.number for each in fake.instance.callbacks] == [1, 2, 3]
    assert len({each.body for each in receiver.received}) == 1


def test_nobody_there_is_a_failure_and_not_the_jobs(fake: Asked, deliverer: Deliverer) -> None:
    with closed_port() as port:
        job = ended(fake, f"http://127.0.0.1:{port}/hook")
        deliverer.deliver_due()
    assert outcomes(fake) == [("failed", "could not connect: Connection refused")]
    assert fake.status(job) == "COMPLETED"


def read_request(connection: socket.socket) -> None:
    """Read to the last byte: to close with some of them unread is a reset, which may overtake the answer."""
    with connection.makefile("rb") as stream:
        length = 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        stream.read(length)


@contextmanager
def rude_server(answer: bytes | None, *, reset: bool = False) -> Iterator[str]:
    """A server that answers with these bytes and goes, with a reset if so told, or (None) does not answer at all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            connection.settimeout(PATIENCE)
            with connection:
                read_request(connection)
                if answer is None:
                    done.wait(PATIENCE)
                else:
                    connection.sendall(answer)
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            done.set()
            thread.join(PATIENCE)


def test_a_receiver_that_does_not_answer_is_left(fake: Asked) -> None:
    with rude_server(None) as url:
        ended(fake, url)
        Deliverer(fake.emulator, timeout=0.05).deliver_due()
    assert outcomes(fake) == [("failed", "no answer within 0.05 s")]


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", "the receiver closed the connection without an answer"),
        (b"nonsense\r\n\r\n", "the receiver's answer is not HTTP"),
    ],
)
def test_a_receiver_that_speaks_no_http_is_a_failure(
    fake: Asked, deliverer: Deliverer, answer: bytes, failure: str
) -> None:
    with rude_server(answer) as url:
        ended(fake, url)
        deliverer.deliver_due()
    (attempt,) = fake.instance.callbacks
    assert (attempt.outcome, attempt.status, attempt.next_try) == ("failed", 0, fake.clock.now() + 4)
    assert attempt.failure == failure


def test_a_reset_is_a_connection_closed_like_any_other(fake: Asked, deliverer: Deliverer) -> None:
    with rude_server(b"", reset=True) as url:
        ended(fake, url)
        deliverer.deliver_due()
    assert outcomes(fake) == [("failed", "the receiver closed the connection without an answer")]


def test_a_long_answer_is_not_read(fake: Asked, deliverer: Deliverer) -> None:
    with rude_server(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nabc") as url:
        ended(fake, url)
        deliverer.deliver_due()
    assert outcomes(fake) == [("delivered", "")]


@pytest.mark.parametrize("path", ["/formulas/instances/1/executions", "formulas/instances/1/executions", "x"])
def test_a_relative_path_is_the_services_own_affair(fake: Asked, deliverer: Deliverer, path: str) -> None:
    job = ended(fake, path)
    deliverer.deliver_due()
    assert outcomes(fake) == [
        ("internal", "a relative path is executed by the service itself; nothing was posted")
    ]
    assert (fake.status(job), fake.emulator.has_callbacks) == ("COMPLETED", False)


def test_a_host_without_a_scheme_is_posted_to(fake: Asked, deliverer: Deliverer, receiver: Receiver) -> None:
    ended(fake, receiver.url.removeprefix("http://"))
    deliverer.deliver_due()
    assert outcomes(fake) == [("delivered", "")]


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("https://example.com/", "callbacks go to this machine only, and example.com is not among the allowed hosts"),
        ("//EXAMPLE.com/hook", "callbacks go to this machine only, and example.com is not among the allowed hosts"),
        ("http://10.0.0.1/", "callbacks go to this machine only, and 10.0.0.1 is not among the allowed hosts"),
        ("http://[2001:db8::1]/", "callbacks go to this machine only, and 2001:db8::1 is not among the allowed hosts"),
        ("http://127.0.0.1@example.com/", "expected an http or https URL without a user, got 'http://127.0.0.1@example.com/'"),
        ("ftp://127.0.0.1/hook", "expected an http or https URL without a user, got 'ftp://127.0.0.1/hook'"),
        ("http://", "expected an http or https URL, got 'http://'"),
        ("http://[::1/hook", "expected an http or https URL, got 'http://[::1/hook'"),
        ("127.0.0.1:port/hook", "expected an http or https URL, got '127.0.0.1:port/hook'"),
    ],
)  # fmt: skip
def test_what_must_not_be_posted_to_is_refused_once_and_for_all(
    fake: Asked, deliverer: Deliverer, monkeypatch: pytest.MonkeyPatch, url: str, failure: str
) -> None:
    monkeypatch.setattr(requests.Session, "send", lambda *_, **__: pytest.fail("something was posted"))
    ended(fake, url)
    deliverer.deliver_due()
    assert outcomes(fake) == [("refused", failure)]
    assert not fake.emulator.has_callbacks


@pytest.mark.parametrize("url", ["http://evil.example\\@127.0.0.1/", "http://evil.example#@127.0.0.1/"])
def test_an_odd_url_is_judged_by_the_host_that_would_be_connected_to(fake: Asked, url: str) -> None:
    posted = Deliverer(fake.emulator).post(Callback(1, "1", url, b"", {}, 0.0))
    assert parse_url(requests.Request("POST", url).prepare().url or "").host == "evil.example"
    assert (posted.outcome, posted.failure) == (
        "refused",
        "callbacks go to this machine only, and evil.example is not among the allowed hosts",
    )


@pytest.mark.parametrize("allowed", ["Example.com", "*"])
def test_an_allowed_host_is_posted_to(fake: Asked, allowed: str) -> None:
    with responses.RequestsMock() as network:
        network.add("POST", "https://example.com/hook", status=202)
        ended(fake, "https://example.com/hook")
        (attempt,) = Deliverer(fake.emulator, allowed_hosts=[allowed]).deliver_due()
        assert (attempt.outcome, attempt.status) == ("delivered", 202)
        assert network.calls[0].request.body == attempt.body


def test_a_proxy_of_the_environment_does_not_see_what_is_for_this_machine(
    fake: Asked, deliverer: Deliverer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with closed_port() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        ended(fake, receiver.url)
        deliverer.deliver_due()
    assert outcomes(fake) == [("delivered", "")]


def test_a_failure_is_logged_with_its_job_and_url(
    fake: Asked, deliverer: Deliverer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "pytest_ocbulk.delivery"):
        ended(fake, "https://example.com/")
        deliverer.deliver_due()
    assert [each.getMessage() for each in caplog.records] == [
        (
            "callback of job 1234 to https://example.com/: refused,"
            " callbacks go to this machine only, and example.com is not among the allowed hosts"
        )
    ]


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("https://example.com/hook", "https://example.com/hook"),
        ("example.com", "http://example.com"),
        ("example.com/hook?back=http://x", "http://example.com/hook?back=http://x"),
        ("localhost:8080/hook", "http://localhost:8080/hook"),
        ("localhost/hook", "http://localhost/hook"),
        ("//example.com/hook", "http://example.com/hook"),
        ("/formulas/instances/1/executions", None),
        ("formulas/instances/1/executions", None),
        ("/hook?back=http://x", None),
        ("//", None),
        ("", None),
    ],
)
def test_a_url_without_a_scheme_is_a_host_or_a_path(url: str, whole: str | None) -> None:
    assert absolute(url) == whole


# -- gone wrong on purpose ----------------------------------------------------------------------------------


def test_all_that_can_go_wrong_with_callbacks_arrives_as_planned(
    fake: Asked, deliverer: Deliverer, receiver: Receiver
) -> None:
    for fault in (twice(), never(), bad_signature(), out_of_order()):
        fake.instance.faults.on("callback", fault)
    for _ in range(5):
        ended(fake, receiver.url)
    deliverer.deliver_due()
    arrived = [(each.json()["id"], each.verified) for each in receiver.received]
    assert arrived == [
        ("1234", True), ("1234", True), ("1236", False), ("1238", True), ("1237", True),
    ]  # fmt: skip
    assert fake.instance.faults.pending == ()
    assert [(each.job, each.fault) for each in fake.instance.callbacks.of("1235")] == [
        ("1235", "callback:never")
    ]


def test_whoever_hears_early_finds_the_job_still_running(fake: Asked, receiver: Receiver) -> None:
    fake.instance.faults.on("callback", early())
    fake.instance.plans.next_job("CREATED RUNNING x1 COMPLETE")
    with Server(fake.emulator) as server, Deliverer(fake.emulator, timeout=PATIENCE) as deliverer:
        job = fake.upload(CSV, callback=receiver.url)
        assert [fake.status(job)] == ["RUNNING"]
        deliverer.deliver_due()
        assert receiver.wait_for().json()["status"] == "COMPLETED"
        url = f"{server.url}{BASE_PATH}/bulk/{job}/status"
        seen = [
            requests.get(url, headers=fake.authorization, timeout=PATIENCE).json()["status"] for _ in range(2)
        ]
    assert seen == ["RUNNING", "COMPLETED"]


# -- in a thread --------------------------------------------------------------------------------------------


def test_a_server_posts_by_itself_when_a_job_has_ended(receiver: Receiver) -> None:
    emulator = Emulator(background=True)
    instance = emulator.create_instance(
        built_in("marketing"), clock=SystemClock(), configuration={SIGNATURE_KEY: "secret"}
    )
    instance.plans.default = Timeline.parse("CREATED 20ms COMPLETE")
    receiver.answer_with(500)
    body, headers = form(CSV)
    headers |= {
        "Authorization": f"Element {instance.token}, User {instance.user_secret}",
        "Elements-Async-Callback-Url": receiver.url,
    }
    deliverer = Deliverer(emulator, timeout=PATIENCE, retry_scale=0.001)
    with deliverer, Server(emulator, on_wake=deliverer.wake) as server:
        requests.post(f"{server.url}{BASE_PATH}/bulk/contact", data=body, headers=headers, timeout=PATIENCE)
        second = receiver.wait_for(2, PATIENCE)  # nobody polls, and the first try was answered 500
    assert (second.json()["status"], second.verified) == ("COMPLETE", True)
    assert [each.body for each in receiver.received] == [second.body] * 2
    emulator.close()


def test_without_callbacks_no_thread_is_started(fake: Asked) -> None:
    with Deliverer(fake.emulator) as deliverer:
        fake.status(fake.upload(CSV))
        before = callback_threads()
        deliverer.wake()
        assert callback_threads() <= before


def callback_threads() -> set[threading.Thread]:
    """The threads that post callbacks; that of a server which other tests of this session share may be among them."""
    return {thread for thread in threading.enumerate() if thread.name == "ocbulk-callbacks"}


def test_a_thread_that_waits_for_a_clock_that_stands_still_ends_at_once(
    fake: Asked, receiver: Receiver
) -> None:
    receiver.answer_with(500)
    ended(fake, receiver.url)
    before = callback_threads()
    with Deliverer(fake.emulator, timeout=PATIENCE, retry_scale=1000) as deliverer:
        deliverer.wake()
        receiver.wait_for(1, PATIENCE)
        (thread,) = callback_threads() - before
    thread.join(PATIENCE)  # the next try would be in more than an hour
    assert not thread.is_alive()
    deliverer.wake()
    assert len(receiver) == 1


def test_a_receiver_may_call_the_fake_back_which_delivers_in_turn(fake: Asked, deliverer: Deliverer) -> None:
    answered: list[list[Any]] = []

    class CallingBack(Receiver):
        def _take(self, *arguments: Any) -> int:
            answered.append(deliverer.deliver_due())
            return super()._take(*arguments)

    with CallingBack() as receiver:
        ended(fake, receiver.url)
        ended(fake, receiver.url)
        assert len(deliverer.deliver_due()) == 2
    assert answered == [[], []]


def test_a_delivery_may_wait_for_another_that_is_under_way(
    fake: Asked, deliverer: Deliverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    posting, go_on, order = threading.Event(), threading.Event(), []

    class Slow(Receiver):
        def _take(self, *arguments: Any) -> int:
            posting.set()
            assert go_on.wait(PATIENCE)
            order.append("posted")
            return super()._take(*arguments)

    with Slow() as receiver:
        ended(fake, receiver.url)
        first = threading.Thread(target=deliverer.deliver_due, daemon=True)
        first.start()
        assert posting.wait(PATIENCE)
        assert deliverer.deliver_due() == []
        threading.Timer(0, go_on.set).start()
        deliverer.deliver_due(wait=True)
        order.append("waited")
        first.join(PATIENCE)
    assert (order, outcomes(fake)) == (["posted", "waited"], [("delivered", "")])


def test_requests_is_loaded_when_something_is_posted_and_not_before() -> None:
    code = "import sys, pytest_ocbulk.delivery; print('requests' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "False\n"
