"""Uploading a large file: the client against `requests.post(files=...)`, side by side in one run.

Each upload runs in a process of its own, so that its peak of memory is its own; the time runs from the call to the
answer, imports not counted. The two take turns. They upload to a socket that reads and forgets, which shows the
clients' own limits, and then to the fake itself, job creation included.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import requests

from pytest_ocbulk.client import BulkClient
from pytest_ocbulk.contacts import write_contacts

if __package__:  # the children that upload are run as a file
    from .side_by_side import Row, at_least

TOKEN, SECRET = "token", "secret"
STUB = b'{"id": "1", "status": "CREATED"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(STUB),
    STUB,
)


@dataclass(frozen=True)
class Measured:
    """Medians of one way to upload: seconds, MB/s and the peak of memory above idle in MB."""

    seconds: float
    speed: float
    peak: float


@dataclass(frozen=True)
class Comparison:
    """Both ways in one run, and what the file was."""

    megabytes: float
    ours: Measured
    files: Measured

    @property
    def speedup(self) -> float:
        """How many times as fast as `requests.post(files=...)`."""
        return self.ours.speed / self.files.speed


def compare(base_url: str, path: Path, rounds: int = 5) -> Comparison:
    """Upload `path` to `base_url` in turns and compare. One turn before the first counts for nothing."""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(rounds + 1):
        for way in WAYS:
            measured = in_a_child(way, base_url, path)
            if number:
                runs[way].append(measured)
    megabytes = path.stat().st_size / 1e6
    return Comparison(megabytes, *(summed_up(runs[way], megabytes) for way in WAYS))


def summed_up(runs: Sequence[dict[str, float]], megabytes: float) -> Measured:
    """The medians of all runs of one way."""
    seconds = median(run["seconds"] for run in runs)
    return Measured(seconds, megabytes / seconds, median(run["peak"] for run in runs))


def in_a_child(way: str, base_url: str, path: Path) -> dict[str, float]:
    """One upload in a process of its own."""
    command = [sys.executable, __file__, "--child", way, base_url, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def with_the_client(base_url: str, path: Path) -> None:
    """BulkClient, from a path."""
    with BulkClient(base_url, element_token=TOKEN, user_secret=SECRET) as client:
        client.upload("contact", path)


def with_files(base_url: str, path: Path) -> None:
    """What the documentation of requests shows."""
    headers = {"Authorization": f"User {SECRET}, Element {TOKEN}"}
    with path.open("rb") as file:
        requests.post(
            f"{base_url}/bulk/contact", headers=headers, files={"file": file}, timeout=120
        ).raise_for_status()


WAYS: dict[str, Callable[[str, Path], None]] = {"ours": with_the_client, "files": with_files}


def child(way: str, base_url: str, path: Path) -> None:
    """Upload once and print seconds and the peak of memory above idle, in MB."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten (proc(5))
    idle = memory("VmHWM")
    started = perf_counter()
    WAYS[way](base_url, path)
    seconds = perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak": memory("VmHWM") - idle}))


def memory(name: str) -> float:
    """A figure of /proc/self/status, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / 1e6


@contextmanager
def drain() -> Iterator[str]:
    """A socket that reads uploads, forgets them and answers a job stub; its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_drain, args=(listener,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _drain(listener: socket.socket) -> None:
    buffer = bytearray(1 << 20)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            start, _, begun = head.partition(b"\r\n\r\n")
            left = int(start.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]) - len(begun)
            while left > 0:
                left -= connection.recv_into(buffer)
            connection.sendall(ANSWER)


@contextmanager
def fake() -> Iterator[str]:
    """The fake server, as a process of its own; its base URL."""
    command = [sys.executable, "-m", "fake_server", "--port", "0", "--quiet"]
    command += ["--connector", "marketing", "--element-token", TOKEN, "--user-secret", SECRET]
    command += ["--job", "CREATED RUNNING forever"]  # applying rows would measure the fake, not the client
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().removeprefix("listening on ").strip()
        server.terminate()


def rows(rounds: int, megabytes: int = 130) -> Iterator[Row]:
    """Two lines each for a socket that reads and forgets and for the fake."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "contacts.csv"
        write_contacts(path, megabytes * 8_000)  # about 125 bytes a row
        for name, target in (("a socket that reads and forgets", drain), ("the fake", fake)):
            with target() as base_url:
                found = compare(base_url, path, rounds)
            what, against = f"client upload of {found.megabytes:.0f} MB to {name}", "requests.post(files=...)"
            yield at_least(what, against, found.ours.speed, found.files.speed, 1.3, "MB/s")
            peak, theirs = found.ours.peak, found.files.peak
            yield Row(
                "the same, peak memory",
                against,
                f"+{peak:.1f} MB",
                f"+{theirs:.0f} MB",
                "",
                "at most +40 MB",
                peak <= 40,
            )


if __name__ == "__main__":
    child(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
