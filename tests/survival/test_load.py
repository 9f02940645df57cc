"""Two hundred clients at once lose nothing, see nothing of each other, and leave nothing behind."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from ..patience import PATIENCE
from ..server_process import server_process
from .load import Footprint, Load, LoadFigures

CLIENTS = 200
SECONDS = 1.5
GROWTH = 20.0
"""MiB by which the server may be larger after the second load than after the first, which may have been smaller."""


@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "on a data file"])
def test_nothing_is_lost_mixed_up_or_left_behind(kept: bool, tmp_path: Path) -> None:
    options = ["--data", str(tmp_path / "data")] if kept else []
    with server_process("--quiet", "--job", "CREATED RUNNING 20ms COMPLETE", *options) as server:
        process = server.process.pid
        first = Load(server.base_url, CLIENTS, SECONDS, seed=1).run()
        before = settled(process)
        figures = Load(server.base_url, CLIENTS, SECONDS, seed=2).run()
        after = settled(process)
        for each in (first, figures):
            assert each.uploads >= CLIENTS
            assert (each.rows_lost, each.wrong_counts, each.strangers) == (0, 0, 0)
        assert after.threads <= before.threads
        assert after.descriptors <= before.descriptors
        assert after.memory - before.memory < GROWTH
        server.process.terminate()
        _, errors = server.process.communicate(timeout=PATIENCE)
    assert errors == ""


def settled(process: int) -> Footprint:
    """What a server holds when all connections are closed: the same five times in a row."""
    seen = deque[tuple[int, int]](maxlen=5)
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        now = Footprint.of(process)
        seen.append((now.threads, now.descriptors))
        if seen.count(seen[-1]) == seen.maxlen:
            return now
        time.sleep(0.05)  # another process, which tells nobody when it is done
    raise AssertionError("the server does not come to rest")


def test_what_went_wrong_is_counted() -> None:
    """Two clients of one instance are strangers to each other: the check finds that."""
    with server_process("--quiet", "--job", "CREATED COMPLETE") as server:
        load = Confused(server.base_url, 2, 0.2)
        with pytest.raises(AssertionError, match="/instances/0"):  # which cannot be deleted in the end
            load.run()
        assert load.figures.strangers > 0


class Confused(Load):
    """Gives all clients the same instance."""

    async def _make_instance(self, *_: object) -> tuple[int, str]:
        return 0, "marketing"


def test_a_thousand_connections_are_open_though_the_shell_allows_fewer_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2500:
        pytest.skip("this machine does not allow so many descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2500), hard))
    command = [sys.executable, "-m", "fake_server", "--port", "0", "--quiet"]
    command = ["sh", "-c", f"ulimit -Sn 256; exec {' '.join(command)}"]
    opened: list[socket.socket] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().split(":")[2].partition("/")[0])
            opened += [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(1000)]
            for each in opened[::-1]:
                each.sendall(b"GET /__ocbulk__/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert {each.recv(15) for each in opened} == {b"HTTP/1.1 200 OK"}
        finally:
            for each in opened:
                each.close()
            process.terminate()
            _, errors = process.communicate(timeout=PATIENCE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (process.returncode, errors) == (0, "")


def test_an_upload_beyond_the_limit_is_refused_before_it_is_sent() -> None:
    with server_process("--quiet") as server:
        port = int(server.base_url.split(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(
                b"POST /elements/api-v2/bulk/contact HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Element marketing, User demo\r\nContent-Length: %d\r\n\r\n"
                % (6 * 1024**3 + 1)
            )
            assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_figures_tell_the_rate() -> None:
    assert LoadFigures(calls=10, seconds=4.0).calls_per_second == 2.5
    assert LoadFigures().calls_per_second == 0.0
