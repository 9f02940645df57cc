"""The standalone server as a whole: control API, its token, callbacks, and how it ends."""

from __future__ import annotations

import json
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import pytest
import requests

from ..patience import PATIENCE
from ..ports import closed_port
from ..server_process import ServerProcess, server_process

HEADERS = {"Authorization": "Element sqlserver, User demo"}
FILES = {"file": ("a.csv", b"C_EmailAddress\na@example.com\n")}


@pytest.fixture
def received() -> Iterator[tuple[str, Queue[bytes]]]:
    """A receiver of callbacks: its address and the bodies that came."""
    bodies: Queue[bytes] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/done", bodies
        server.shutdown()
        thread.join()


def control(server: ServerProcess, path: str, **headers: str) -> requests.Response:
    address = server.base_url.replace("/elements/api-v2", f"/__ocbulk__{path}")
    return requests.get(address, headers=headers, timeout=PATIENCE)


def upload(server: ServerProcess, **headers: str) -> str:
    answer = requests.post(
        f"{server.base_url}/bulk/contact", headers=HEADERS | headers, files=FILES, timeout=PATIENCE
    )
    return str(answer.json()["id"])


def test_a_job_is_told_to_whom_asked_for_it_without_anybody_looking(
    received: tuple[str, Queue[bytes]],
) -> None:
    url, bodies = received
    with server_process("--quiet", "--job", "CREATED 100ms COMPLETE") as server:
        job = upload(server, **{"Elements-Async-Callback-Url": url})
        body = json.loads(bodies.get(timeout=PATIENCE))
    assert (body["id"], body["status"]) == (job, "COMPLETE")


def test_callbacks_owed_when_the_server_was_killed_are_sent_by_the_next_one(
    received: tuple[str, Queue[bytes]], tmp_path: Path
) -> None:
    url, bodies = received
    options = ("--quiet", "--data", str(tmp_path / "data"), "--job", "CREATED 1h COMPLETE")
    with server_process(*options) as server:
        job = upload(server, **{"Elements-Async-Callback-Url": url})
        server.process.kill()
        server.process.wait(PATIENCE)
    assert bodies.empty()
    with sqlite3.connect(tmp_path / "data") as db:  # an hour passes
        (document,) = db.execute("SELECT document FROM jobs").fetchone()
        values = json.loads(document)
        values["course"][1] -= 3600
        db.execute("UPDATE jobs SET document = ?", (json.dumps(values),))
    db.close()
    with server_process(*options):
        assert json.loads(bodies.get(timeout=PATIENCE))["id"] == job


def test_a_host_beyond_this_machine_is_posted_to_only_if_it_is_allowed() -> None:
    """0.0.0.0 stands for such a host: it is not taken for this machine, and nobody's name server is asked for it."""
    for options, failure in (
        ([], "callbacks go to this machine only, and 0.0.0.0 is not among the allowed hosts"),
        (["--callback-host", "0.0.0.0"], "could not connect: Connection refused"),
    ):
        with (
            closed_port() as port,
            server_process("--quiet", "--job", "CREATED COMPLETE", *options) as server,
        ):
            job = upload(server, **{"Elements-Async-Callback-Url": f"http://0.0.0.0:{port}/x"})
            requests.get(f"{server.base_url}/bulk/{job}/status", headers=HEADERS, timeout=PATIENCE)
            assert failure in first_try(server)


def first_try(server: ServerProcess) -> str:
    """What came of the first callback that was tried."""
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        for instance in control(server, "/state").json()["instances"]:
            if instance["token"] == "sqlserver" and instance["callbacks"]:
                return str(instance["callbacks"][0])
    raise AssertionError("no callback was tried")


def test_a_control_token_is_needed_once_it_is_set() -> None:
    with server_process("--quiet", "--control-token", "s3cret") as server:
        assert control(server, "/health").status_code == 401
        assert control(server, "/health", Authorization="Bearer other").status_code == 401
        assert control(server, "/health", Authorization="Bearer s3cret").json()["status"] == "ok"


def test_where_other_machines_reach_it_a_control_token_is_made_up_and_told() -> None:
    with server_process("--quiet", "--host", "0.0.0.0") as server:
        assert server.process.stdout is not None
        word, _, token = server.process.stdout.readline().strip().rpartition(" ")
        assert word == "control token"
        assert control(server, "/health").status_code == 401
        assert control(server, "/health", Authorization=f"Bearer {token}").status_code == 200
    with server_process("--quiet", "--host", "0.0.0.0") as server:
        assert server.process.stdout is not None
        assert server.process.stdout.readline().strip().rpartition(" ")[2] != token


def test_a_server_that_can_no_longer_write_its_file_ends_with_exit_3(tmp_path: Path) -> None:
    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    command = [
        sys.executable,
        "-m",
        "fake_server",
        "--port",
        "0",
        "--quiet",
        "--data",
        str(tmp_path / "data"),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=small_disk
    ) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().removeprefix("listening on ").strip()
        files = {
            "file": ("a.csv", b"C_EmailAddress\n" + b"".join(b"%d@example.com\n" % n for n in range(2000)))
        }
        answered = 0
        with suppress(requests.ConnectionError):
            while (
                requests.post(
                    f"{base_url}/bulk/contact", headers=HEADERS, files=files, timeout=PATIENCE
                ).status_code
                == 200
            ):
                answered += 1
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert errors.startswith(f"Error: {tmp_path / 'data'}: can no longer be written (")
    assert errors.endswith("Make room and start the server again\n")
    with server_process("--quiet", "--data", str(tmp_path / "data")) as server:
        jobs = requests.get(f"{server.base_url}/bulk/jobs", headers=HEADERS, timeout=PATIENCE).json()
    assert len(jobs) == answered > 0


def test_connections_are_closed_when_it_is_told_to_stop() -> None:
    with server_process("--quiet") as server:
        host, _, port = server.base_url.removeprefix("http://").partition("/")[0].partition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as idle:
            idle.sendall(b"GET /__ocbulk__/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 200")
            server.process.terminate()
            assert server.process.wait(PATIENCE) == 0


def test_a_request_that_is_under_way_is_answered_before_the_end() -> None:
    """Its head has arrived, its body has not; an idle connection is not waited for."""
    body = b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\nC_EmailAddress\na@b.de\n\r\n--B--\r\n'
    head = (
        b"POST /elements/api-v2/bulk/contact HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        b"Authorization: Element sqlserver, User demo\r\nContent-Type: multipart/form-data; boundary=B\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with server_process("--quiet") as server:
        port = int(server.base_url.split(":")[2].partition("/")[0])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as busy,
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as idle,
        ):
            busy.sendall(head)
            assert busy.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            server.process.terminate()
            assert idle.recv(100) == b""
            busy.sendall(body)
            heard = b"".join(iter(lambda: busy.recv(1000), b""))
            assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
        assert server.process.wait(PATIENCE) == 0
