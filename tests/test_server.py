"""A server's life, what it does in the background, and what it leaves behind: nothing."""

from __future__ import annotations

import contextlib
import gc
import itertools
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.messages import Request, Response
from pytest_ocbulk.server import Server

from .http1.plain_app import PlainApp, answer, connected, echo, get, say, serving, text
from .patience import PATIENCE
from .ports import closed_port

ROOT = Path(__file__).parents[1]


def hello(_: Request) -> Response:
    return text("hello")


def test_a_started_server_answers_at_its_url() -> None:
    server = Server(PlainApp(hello))
    server.start()
    try:
        assert requests.get(server.url, timeout=PATIENCE).text == "hello"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)
    finally:
        server.stop()


def test_a_stopped_server_refuses_connections() -> None:
    with serving(hello) as server:
        pass
    with closed_port(server.port), pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), timeout=PATIENCE)


def test_starting_and_stopping_twice_is_the_same_as_once() -> None:
    server = Server(PlainApp(hello))
    server.stop()
    server.start()
    port = server.port
    server.start()
    assert server.port == port
    server.stop()
    server.stop()


def test_a_server_can_be_started_again() -> None:
    server = Server(PlainApp(hello))
    for _ in range(2):
        with server:
            assert requests.get(server.url, timeout=PATIENCE).text == "hello"


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with serving(hello) as first, pytest.raises(OcBulkError) as caught:
        Server(PlainApp(hello), port=first.port).start()
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{first.port}: the port is in use; "
        "end the other program or choose another port (0 takes a free one)"
    )


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 70000, "cannot listen on 127.0.0.1:70000: a port is a number from 0 to 65535"),
        (
            "203.0.113.1",  # reserved for documentation (RFC 5737)
            0,
            "cannot listen on 203.0.113.1:0: this machine has no such address; 127.0.0.1 and 0.0.0.0 always work",
        ),
        (
            "no host",
            0,
            "cannot listen on no host:0: this machine has no such address; 127.0.0.1 and 0.0.0.0 always work",
        ),
        (
            "a..b",
            0,
            "cannot listen on a..b:0: this machine has no such address; 127.0.0.1 and 0.0.0.0 always work",
        ),
        (
            "ä..b",
            0,
            "cannot listen on ä..b:0: this machine has no such address; 127.0.0.1 and 0.0.0.0 always work",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_named_with_what_to_do(host: str, port: int, message: str) -> None:
    with pytest.raises(OcBulkError) as caught:
        Server(PlainApp(hello), host, port).start()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://localhost:8765"),
        ("0.0.0.0", "http://127.0.0.1:8765"),
        ("::1", "http://[::1]:8765"),
        ("::", "http://[::1]:8765"),
    ],
)
def test_the_url_is_one_that_a_client_can_use(host: str, url: str) -> None:
    assert Server(PlainApp(hello), host, 8765).url == url


def test_open_connections_are_closed_when_the_server_stops() -> None:
    with serving(hello) as server, connected(server) as used, connected(server) as unused:
        used.sendall(get())
        assert used.recv(1000)
        server.stop()
        for client in (used, unused):
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""


def our_threads() -> set[threading.Thread]:
    """The threads of servers; the one that other tests of this session share may be among them."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("ocbulk")}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_nothing_is_left_of_a_stopped_server() -> None:
    def descriptors() -> int:
        gc.collect()  # what others left to it is not ours
        return len(list(Path("/proc/self/fd").iterdir()))

    before, threads = descriptors(), our_threads()
    for _ in range(3):
        with serving(echo) as server, connected(server) as client:
            client.sendall(get())
            assert client.recv(1000)
            assert requests.post(server.url, b"x" * 2_000_000, timeout=PATIENCE).json()["size"] == 2_000_000
    assert descriptors() <= before
    assert our_threads() <= threads


def test_answers_are_not_held_back_to_be_sent_together() -> None:
    with serving(hello) as server, connected(server) as client:
        client.sendall(get())
        assert client.recv(1000)
        (connection,) = server._running._site.connections  # type: ignore[union-attr]  # a client cannot see it
        inside = connection._transport.get_extra_info("socket")
        assert inside.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_stopping_does_not_wait_for_clients() -> None:
    with serving(hello) as server, contextlib.ExitStack() as open_connections:
        for _ in range(20):
            open_connections.enter_context(connected(server)).sendall(b"GET / HTTP/1.1\r\n")
        say(server, get("/", "Connection: close"))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < PATIENCE  # an idle client would be waited for much longer


@pytest.mark.skipif(sys.platform == "win32", reason="raises the limit of open files")
def test_a_thousand_connections_are_open_and_all_are_answered() -> None:
    import resource

    before = our_threads()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2500:
        pytest.skip("this process may not open 2,500 files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2500), hard))
    try:
        with serving(hello) as server, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connected(server)) for _ in range(1000)]
            for client in clients:
                client.sendall(get())
            heard = [client.recv(1000) for client in clients]
            assert all(each.endswith(b"\r\n\r\nhello") for each in heard)
            assert {thread.name for thread in our_threads() - before} <= {"ocbulk-server", "ocbulk-worker"}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


FOREGROUND = """
from pytest_ocbulk.server import Server
from tests.http1.plain_app import PlainApp, echo
server = Server(PlainApp(echo))
server.serve_forever(lambda: print(server.url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_in_the_foreground(number: signal.Signals) -> None:
    command = [sys.executable, "-c", FOREGROUND]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert requests.get(url, timeout=PATIENCE).status_code == 200
        process.send_signal(number)
        assert process.communicate(timeout=PATIENCE) == ("ended\n", "")
    assert process.returncode == 0


def test_a_server_in_the_foreground_of_a_thread_is_ended_by_stop() -> None:
    server = Server(PlainApp(hello))
    ready = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(ready.set,), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    assert requests.get(server.url, timeout=PATIENCE).text == "hello"
    server.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


class Busy(PlainApp):
    """An app with background work and things that fall due."""

    has_work = True

    def __init__(self, *, slices: int = 0, due: float | None = None, often: int = 7) -> None:
        super().__init__(hello)
        self.slices = slices
        self.due = due
        self.often = often
        self.ticks: list[float] = []
        self.worked = threading.Event()
        self.ticked = threading.Event()
        self.ticked_often = threading.Event()
        self.threads: set[str] = set()
        self.work_once: Callable[[], None] = lambda: None

    def work(self) -> bool:
        self.threads.add(threading.current_thread().name)
        self.work_once()
        self.slices -= 1
        if self.slices == 0:
            self.worked.set()
        return self.slices > 0

    def next_due(self) -> float | None:
        return self.due

    def tick(self) -> None:
        self.ticks.append(time.monotonic())
        self.ticked.set()
        if len(self.ticks) == self.often:
            self.ticked_often.set()


def test_work_is_done_to_its_end_beside_the_loop() -> None:
    app = Busy(slices=5)
    with Server(app) as server:
        say(server, get("/", "Connection: close"))
        assert app.worked.wait(PATIENCE)
    assert app.threads == {"ocbulk-worker"}


def test_nobody_is_woken_for_work_that_is_not_there() -> None:
    app = Busy(slices=5, due=0.0)
    app.has_work = False
    with Server(app) as server:
        say(server, get("/", "Connection: close"))
        assert app.ticked_often.wait(PATIENCE)  # the loop has looked for work each time
    assert app.threads == set()


def test_requests_are_answered_while_work_waits_for_something() -> None:
    app = Busy(slices=3)
    go_on = threading.Event()
    app.work_once = lambda: assert_true(go_on.wait(PATIENCE))
    with Server(app) as server:
        for _ in range(3):
            assert answer(say(server, get("/", "Connection: close")))[1] == b"hello"
        assert not app.worked.is_set()
        go_on.set()
        assert app.worked.wait(PATIENCE)


def assert_true(value: bool) -> None:
    assert value


def test_a_lock_that_work_holds_is_passed_on_between_two_slices() -> None:
    lock = threading.Lock()
    app = Busy(slices=10**9)
    working = threading.Event()

    def hold() -> None:
        with lock:
            working.set()
            sum(range(20_000))

    def handler(_: Request) -> Response:
        asked_at = app.slices
        with lock:
            return text(str(asked_at - app.slices))

    app.work_once, app.handler = hold, handler
    with Server(app) as server:
        assert working.wait(PATIENCE)
        waited = int(answer(say(server, get("/", "Connection: close")))[1])
    assert waited < 500  # of the work that there is


def test_work_that_fails_is_logged_and_tried_again_after_the_next_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Busy(slices=2)
    failed = threading.Event()

    def fail() -> None:
        app.work_once = lambda: None
        failed.set()
        raise ZeroDivisionError

    app.work_once = fail
    with Server(app) as server:
        assert failed.wait(PATIENCE)
        say(server, get("/", "Connection: close"))
        assert app.worked.wait(PATIENCE)
    assert "background work failed" in caplog.text


def test_time_is_let_pass_when_something_is_due() -> None:
    app = Busy(due=0.01)
    with Server(app):
        assert app.ticked.wait(PATIENCE)


def test_what_work_makes_due_is_let_happen_without_a_further_request() -> None:
    app = Busy(slices=3)

    def make_due() -> None:
        if app.slices == 1:
            app.due = 0.0

    app.work_once = make_due
    with Server(app):
        assert app.ticked.wait(PATIENCE)


def test_nothing_is_ticked_when_nothing_is_due() -> None:
    app = Busy(due=None)
    woken = threading.Event()
    with Server(app, on_wake=woken.set) as server:
        assert woken.wait(PATIENCE)
        woken.clear()
        say(server, get("/", "Connection: close"))
        assert woken.wait(PATIENCE)  # now it was looked at what is due
    assert app.ticks == []


def test_a_clock_that_stands_still_is_not_asked_in_a_hurry() -> None:
    app = Busy(due=0.0)
    with Server(app):
        assert app.ticked_often.wait(PATIENCE)
    assert app.ticks[6] - app.ticks[0] >= 0.1  # 0.01 s, then twice as long each time


def test_time_goes_on_steadily_when_each_tick_does_something() -> None:
    app = Busy(due=0.011, often=12)
    with Server(app):
        assert app.ticked_often.wait(PATIENCE)
    pauses = [after - before for before, after in itertools.pairwise(app.ticks)]
    assert min(pauses[5:]) < 0.1  # with waits that double they would be longer from the fifth on


def test_a_clock_that_stood_still_is_asked_at_once_after_an_exchange() -> None:
    def asked_after() -> float:
        app = Busy(due=0.0)
        with Server(app) as server:
            assert app.ticked_often.wait(PATIENCE)
            app.ticked.clear()
            say(server, get("/", "Connection: close"))
            assert app.ticked.wait(PATIENCE)
        return app.ticks[7] - app.ticks[6]

    # Without the exchange it would be 0.64 s; a busy machine gets three tries.
    assert any(asked_after() < 0.4 for _ in range(3))


def test_a_tick_that_fails_is_logged_and_the_server_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    app = Busy(due=0.0)
    app.tick = fail_to(app.ticked.set)  # type: ignore[method-assign]
    with Server(app) as server:
        assert app.ticked.wait(PATIENCE)
        assert answer(say(server, get("/", "Connection: close")))[1] == b"hello"
    assert "the app could not let things happen" in caplog.text


def fail_to(call: Callable[[], None]) -> Callable[[], None]:
    def failing() -> None:
        call()
        raise ZeroDivisionError

    return failing


def test_an_app_that_cannot_say_what_is_due_is_logged_and_served(caplog: pytest.LogCaptureFixture) -> None:
    app = Busy()
    app.next_due = lambda: 1 / 0  # type: ignore[method-assign]
    with Server(app) as server:
        assert answer(say(server, get("/", "Connection: close")))[1] == b"hello"
        assert answer(say(server, get("/", "Connection: close")))[1] == b"hello"
        assert woken(server, app)
    assert "the app could not say what is due next" in caplog.text


def woken(server: Server, app: Busy) -> bool:
    app.slices = 1
    server.wake()
    return app.worked.wait(PATIENCE)


def test_an_app_that_was_changed_from_outside_can_wake_the_server() -> None:
    app = Busy()
    with Server(app) as server:
        assert woken(server, app)


def test_waking_a_server_that_does_not_run_does_nothing() -> None:
    app = Busy(slices=1)
    Server(app).wake()
    assert not app.worked.is_set()


def test_a_server_may_end_just_when_it_is_woken() -> None:
    """Its own thread sets `_running` to None; here it does so whenever somebody has looked at it."""

    class Ending(Server):
        def __getattribute__(self, name: str) -> Any:
            value = super().__getattribute__(name)
            if name == "_running":
                self._running = None
            return value

    woken = threading.Event()
    server = Ending(PlainApp(hello))
    server._running = cast(Any, types.SimpleNamespace(wake=woken.set))
    server.wake()
    assert woken.is_set()


@pytest.mark.parametrize(
    "app", [PlainApp(hello), Busy(slices=3), Busy(due=0.0)], ids=["handled", "worked", "ticked"]
)
def test_whoever_delivers_callbacks_is_woken_after_the_app_has_done_something(app: PlainApp) -> None:
    woken = threading.Event()
    with Server(app, on_wake=woken.set) as server:
        say(server, get("/", "Connection: close"))
        assert woken.wait(PATIENCE)


def test_who_fails_when_woken_does_not_stop_the_work(caplog: pytest.LogCaptureFixture) -> None:
    app = Busy(slices=3)
    with Server(app, on_wake=fail_to(lambda: None)):
        assert app.worked.wait(PATIENCE)
    assert "who was to be woken failed" in caplog.text


def test_stopping_waits_for_a_large_body_that_is_worked_on_and_closes_its_answer() -> None:
    before = our_threads()
    arrived, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    class Body(list[bytes]):
        def close(self) -> None:
            closed.set()

    def handler(_: Request) -> Response:
        body = cast(Iterator[bytes], Body())
        arrived.set()
        assert go_on.wait(PATIENCE)
        return Response(200, {}, body)

    server = Server(PlainApp(handler))
    server.start()
    with connected(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
        assert arrived.wait(PATIENCE)
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""  # the connections are closed at once
        assert stopping.is_alive()
        go_on.set()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
    assert closed.wait(PATIENCE)
    assert our_threads() <= before


def test_threads_take_turns_as_before_when_the_work_is_done() -> None:
    before = sys.getswitchinterval()
    app = Busy(slices=1)
    during = []
    app.work_once = lambda: during.append(sys.getswitchinterval())
    with Server(app):
        assert app.worked.wait(PATIENCE)
    assert during[0] < before
    assert sys.getswitchinterval() == before


def test_the_garbage_collector_rests_within_a_slice_and_is_started_again() -> None:
    app = Busy(slices=1)
    during = []
    app.work_once = lambda: during.append(gc.isenabled())
    with Server(app):
        assert app.worked.wait(PATIENCE)
    assert during == [False]
    assert gc.isenabled()
