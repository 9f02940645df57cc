"""Servers as processes of their own, ours and the peers', with their memory and the time until they answer."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

OURS = (sys.executable, "-m", "fake_server", "--quiet", "--job", "CREATED COMPLETE")
WIREMOCK = Path("node_modules/wiremock/build")
"""Where `npm install wiremock` puts the standalone jar."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that accepts connections on `port`."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**env, **environment}
    ) as process:
        try:
            wait_for(port, process)
            yield process
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as something answers an HTTP request on the port."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if connection.recv(1):
                    return
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("the server ended before it answered") from None
            time.sleep(0.001)
    raise RuntimeError("the server did not answer")


def wiremock(port: int) -> tuple[str, ...] | None:
    """The command of WireMock standalone, None where it or Java is not installed."""
    jars = sorted(WIREMOCK.glob("*.jar"))
    if not jars or not shutil.which("java"):
        return None
    return (
        "java",
        "-jar",
        str(jars[0]),
        "--port",
        str(port),
        "--root-dir",
        "/tmp/ocbulk-bench-wiremock",
        "--disable-banner",
    )


def memory(pid: int, key: str = "VmHWM") -> float:
    """Megabytes of a process: its peak (`VmHWM`) or what it holds now (`VmRSS`)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak(pid: int) -> None:
    """Let the peak begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def seconds_to_answer(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> float:
    """From launch to the first answer."""
    started = time.perf_counter()
    with running(command, port, **(environment or {})):
        return time.perf_counter() - started
