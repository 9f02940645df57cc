"""Status calls over the socket, 16 connections kept alive; and how long a server takes to give its first answer.

Ours answers with credentials checked, routes matched, time looked after and the exchange in the journal; the
peers answer a constant. The load is wrk's where it is installed, a bounded one of our own elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import requests

from .processes import OURS, free_port, running, seconds_to_answer, wiremock
from .side_by_side import Row, at_least, at_most, in_turns, left_out, missing

SECONDS = 2
CONNECTIONS = 16
AUTHORIZATION = "Element marketing, User demo"
PEERS = {
    "pytest-httpserver": ("pytest_httpserver", "httpserver", 5.0),
    "moto server": ("moto.server", "moto", 30.0),
    "uvicorn + Starlette": ("starlette", "starlette", 1.2),
}


def peer(name: str, port: int) -> tuple[str, ...]:
    """The command of a peer in Python."""
    return (sys.executable, "-m", "tests.bench.peers", name, str(port))


def load(url: str) -> float:
    """Answers per second."""
    if shutil.which("wrk"):
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{SECONDS}s",
            "-H",
            f"Authorization: {AUTHORIZATION}",
            url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        assert found, done.stdout
        return float(found[1])
    return asyncio.run(_own_load(url))


async def _own_load(url: str) -> float:
    host, _, path = url.removeprefix("http://").partition("/")
    name, port = host.split(":")
    ask = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {AUTHORIZATION}\r\n\r\n".encode()
    end = time.monotonic() + SECONDS

    async def one() -> int:
        reader, writer = await asyncio.open_connection(name, int(port))
        count = 0
        while time.monotonic() < end:
            writer.write(ask)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert length
            await reader.readexactly(int(length[1]))
            count += 1
        writer.close()
        return count

    return sum(await asyncio.gather(*(one() for _ in range(CONNECTIONS)))) / SECONDS


def rows(rounds: int) -> Iterator[Row]:
    """All lines."""
    yield from status_calls(rounds)
    yield from first_answer(rounds)


def status_calls(rounds: int) -> Iterator[Row]:
    """Status calls against each peer."""
    what = f"status call over the socket, {CONNECTIONS} connections"
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(running((*OURS, "--port", str(port)), port))
        sides: dict[str, Callable[[], float]] = {}
        url = f"{prepare(port)}"
        sides["ours"] = lambda: load(url)
        goals: dict[str, float] = {}
        for name, (module, side, goal) in PEERS.items():
            if reason := missing(module.partition(".")[0]):
                yield left_out(what, name, reason)
                continue
            other = free_port()
            stack.enter_context(running(peer(side, other), other))
            path = "" if side == "moto" else "bulk/1234/status"
            sides[name] = lambda at=f"http://127.0.0.1:{other}/{path}": load(at)  # type: ignore[misc]
            goals[name] = goal
        other = free_port()
        if command := wiremock(other):
            stack.enter_context(running(command, other))
            stub_wiremock(other)
            sides["WireMock"] = lambda: load(f"http://127.0.0.1:{other}/bulk/1234/status")
            goals["WireMock"] = 1.3
        else:
            yield left_out(what, "WireMock", "left out: run `npm install wiremock` and install Java")
        found = in_turns(sides, rounds)
    for name, goal in goals.items():
        yield at_least(what, name, found["ours"], found[name], goal, "/s")


def prepare(port: int) -> str:
    """Make a finished job; return the URL of its status."""
    base = f"http://127.0.0.1:{port}/elements/api-v2"
    csv = b"C_EmailAddress\n" + b"".join(b"a%d@example.com\n" % at for at in range(10))
    headers = {"Authorization": AUTHORIZATION}
    job = requests.post(
        base + "/bulk/contact", headers=headers, files={"file": ("a.csv", csv)}, timeout=10
    ).json()
    url = f"{base}/bulk/{job['id']}/status"
    assert requests.get(url, headers=headers, timeout=10).json()["status"] == "COMPLETE"
    return url


def stub_wiremock(port: int) -> None:
    """Give WireMock the one stub it needs."""
    stub = {
        "request": {"method": "GET", "url": "/bulk/1234/status"},
        "response": {"jsonBody": {"status": "COMPLETE"}},
    }
    ask = urllib.request.Request(f"http://127.0.0.1:{port}/__admin/mappings", json.dumps(stub).encode())
    urllib.request.urlopen(ask, timeout=10).close()
    for _ in range(3000):  # the Java machine compiles what it has run often
        urllib.request.urlopen(f"http://127.0.0.1:{port}/bulk/1234/status", timeout=10).close()


def first_answer(rounds: int) -> Iterator[Row]:
    """From launch to first answer."""
    what = "process start to first answer"

    def ours() -> float:
        port = free_port()
        return seconds_to_answer((*OURS, "--port", str(port)), port) * 1000

    def theirs() -> float:
        port = free_port()
        command = wiremock(port)
        assert command
        return seconds_to_answer(command, port) * 1000

    if wiremock(0) is None:
        yield left_out(what, "WireMock", "left out: run `npm install wiremock` and install Java")
        return
    found = in_turns({"ours": ours, "WireMock": theirs}, rounds)
    yield at_most(what, "WireMock", found["ours"], found["WireMock"], 1 / 8, "ms")
