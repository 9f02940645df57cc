"""pytest-xdist with four workers: a server for each worker beside one server for all, outside of the session."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from .processes import OURS, free_port, running
from .side_by_side import Row, in_turns, left_out, missing

TESTS = 100
OWN = """
import pytest, requests
@pytest.mark.parametrize("n", range({count}))
def test_one(ocbulk_server, n):
    assert requests.get(ocbulk_server.base_url + "/objects", headers=ocbulk_server.headers).ok
"""
SHARED = """
import pytest, requests
@pytest.mark.parametrize("n", range({count}))
def test_one(n):
    headers = {{"Authorization": "Element marketing, User demo"}}
    assert requests.get("http://127.0.0.1:{port}/elements/api-v2/objects", headers=headers).ok
"""


def session(folder: str, file: str) -> float:
    """Milliseconds of one session."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "4",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        file,
    ]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def rows(rounds: int) -> Iterator[Row]:
    """The one line."""
    what, against = "xdist -n 4, a server per worker", "one external server"
    if reason := missing("xdist"):
        yield left_out(what, against, reason)
        return
    port = free_port()
    with TemporaryDirectory() as folder, running((*OURS, "--port", str(port)), port):
        Path(folder, "test_own.py").write_text(OWN.format(count=TESTS))
        Path(folder, "test_shared.py").write_text(SHARED.format(count=TESTS, port=port))
        found = in_turns(
            {
                "own": lambda: session(folder, "test_own.py"),
                "shared": lambda: session(folder, "test_shared.py"),
            },
            rounds,
        )
    more = found["own"] - found["shared"]
    yield Row(
        what,
        against,
        f"{found['own']:,.0f} ms",
        f"{found['shared']:,.0f} ms",
        f"{more:+.0f} ms",
        "at most +60 ms",
        more <= 60,
    )
