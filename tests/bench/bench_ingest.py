"""Uploads over the socket, from the first byte sent until the last row can be found: speed, memory, and what
status calls feel meanwhile.

The peer is what people write by hand: pytest-httpserver, `csv.DictReader`, dictionaries by e-mail. DuckDB's
`read_csv` into a table, without any network, says how far off the limit is.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import requests

from pytest_ocbulk.client import BulkClient
from pytest_ocbulk.contacts import write_contacts

from .bench_socket import peer
from .processes import OURS, forget_peak, free_port, memory, running
from .side_by_side import Row, at_least, at_most, in_turns, left_out, missing

MILLION = 1_000_000
POLL = 0.005
"""Seconds between two status calls; for a large upload a hundredth of its time, or asking becomes part of the work."""
POLL_PER_ROW = 5e-8
PLATFORM = {"Authorization": "User demo, Organization demo"}
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="contacts.csv"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"


class Fake:
    """Our server as a process, and a client of it; each upload goes to a fresh instance of its own."""

    def __init__(self, stack: ExitStack, *options: str) -> None:
        port = free_port()
        self.process = stack.enter_context(running((*OURS, "--port", str(port), *options), port))
        self.base = f"http://127.0.0.1:{port}/elements/api-v2"

    def token(self) -> str:
        """The token of a fresh instance."""
        body = {"element": {"key": "marketing"}, "name": "bench"}
        made = requests.post(self.base + "/instances", json=body, headers=PLATFORM, timeout=30)
        return str(made.json()["token"])

    def client(self, pause: float = POLL) -> BulkClient:
        """A client of a fresh instance that polls with this pause, in seconds."""
        return self.client_of(self.token(), pause)

    def client_of(self, token: str, pause: float = POLL) -> BulkClient:
        """A client of an instance."""
        return BulkClient(
            self.base, element_token=token, user_secret="demo", sleep=lambda _: time.sleep(pause)
        )

    def upload(self, path: Path, rows: int) -> float:
        """Seconds from the first byte to complete and found."""
        with self.client(max(POLL, rows * POLL_PER_ROW)) as client:
            started = time.perf_counter()
            job = client.upload("contact", path)
            report = client.wait(job, timeout=300)
            assert (report.records_count, report.records_failed_count) == (rows, 0)
            assert next(iter(client.records("contact", page_size=1)))["C_EmailAddress"]
            return time.perf_counter() - started

    def forget(self) -> None:
        """Remove the instances that were made, with all their records."""
        for each in requests.get(self.base + "/instances", headers=PLATFORM, timeout=30).json():
            if each["name"] == "bench":
                requests.delete(f"{self.base}/instances/{each['id']}", headers=PLATFORM, timeout=60)


def hand_written(stack: ExitStack) -> tuple[Callable[[Path], float], int]:
    """The peer's upload, and its process id; each upload finds it empty, as ours finds a fresh instance."""
    port = free_port()
    process = stack.enter_context(running(peer("httpserver", port), port))
    base = f"http://127.0.0.1:{port}"

    def upload(path: Path) -> float:
        requests.get(base + "/forget", timeout=30).raise_for_status()
        started = time.perf_counter()
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        requests.post(
            base + "/bulk/contact", data=Form(path), headers=headers, timeout=300
        ).raise_for_status()
        assert requests.get(base + "/bulk/1234/status", timeout=30).json()["status"] == "COMPLETE"
        requests.get(base + "/contact?email=nobody", timeout=30).raise_for_status()
        return time.perf_counter() - started

    return upload, process.pid


class Form:
    """A form with one file, streamed: what is compared is the servers, not the clients."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return len(HEAD) + self.path.stat().st_size + len(TAIL)

    def __iter__(self) -> Iterator[bytes]:
        yield HEAD
        with self.path.open("rb") as file:
            while block := file.read(256 * 1024):
                yield block
        yield TAIL


def rows(rounds: int) -> Iterator[Row]:
    """All lines."""
    with TemporaryDirectory() as folder:
        files = {size: Path(folder) / f"{size}.csv" for size in (100, 10_000, 100_000, MILLION)}
        write_contacts(files[100], 100, seed=1)
        yield from small(files[100], rounds)  # before the system is busy writing the large ones to the disk
        for size, path in files.items():
            write_contacts(path, size, seed=1)
        yield from large(files[MILLION], rounds)
        yield from limit(files[MILLION], rounds)
        yield from scaling(files, rounds)
        yield from repeated(files[MILLION])
        yield from meanwhile(files[MILLION])


def small(path: Path, rounds: int) -> Iterator[Row]:
    """A hundred rows."""
    what = "100 rows over the socket to queryable"
    if reason := missing("pytest_httpserver"):
        yield left_out(what, "pytest-httpserver, DictReader", reason)
        return
    with ExitStack() as stack:
        ours, (theirs, _) = Fake(stack), hand_written(stack)
        sides = {
            "ours": lambda: median(ours.upload(path, 100) for _ in range(20)) * 1000,
            "theirs": lambda: median(theirs(path) for _ in range(20)) * 1000,
        }
        found = in_turns(sides, rounds)
    yield at_most(what, "pytest-httpserver, DictReader", found["ours"], found["theirs"], 1, "ms")


def large(path: Path, rounds: int) -> Iterator[Row]:
    """A million rows: time and memory."""
    what, against = "1,000,000 rows x 7 columns over the socket to queryable", "pytest-httpserver, DictReader"
    with ExitStack() as stack:
        ours = Fake(stack)
        idle = memory(ours.process.pid)

        def upload() -> float:
            ours.forget()
            return ours.upload(path, MILLION)

        sides: dict[str, Callable[[], float]] = {"ours": upload}
        reason = missing("pytest_httpserver")
        if not reason:
            theirs, pid = hand_written(stack)
            their_idle = memory(pid)
            sides["theirs"] = lambda: theirs(path)
        found = in_turns(sides, rounds)
        peak = memory(ours.process.pid) - idle
        if reason:
            yield left_out(what, against, reason)
        else:
            yield at_least(what, against, MILLION / found["ours"], MILLION / found["theirs"], 1.5, "rows/s")
            yield at_most("the same, peak memory", against, peak, memory(pid) - their_idle, 1 / 3, "MB")
    yield Row("the same, peak memory above idle", "", f"{peak:.0f} MB", "", "", "at most 200 MB", peak <= 200)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        kept = Fake(stack, "--data", str(Path(folder) / "fake.db"))
        idle = memory(kept.process.pid)
        seconds = kept.upload(path, MILLION)
        peak = memory(kept.process.pid) - idle
        what = f"the same with --data FILE ({MILLION / seconds:,.0f} rows/s), peak memory above idle"
    yield Row(what, "", f"{peak:.0f} MB", "", "", "at most 60 MB", peak <= 60)


def limit(path: Path, rounds: int) -> Iterator[Row]:
    """DuckDB, which needs no network and answers nobody."""
    what, against = "1,000,000 rows over the socket to queryable", "DuckDB read_csv into a table, no network"
    if reason := missing("duckdb"):
        yield left_out(what, against, reason)
        return
    import duckdb

    def theirs() -> float:
        with duckdb.connect() as database:
            started = time.perf_counter()
            database.execute("CREATE TABLE contact AS SELECT * FROM read_csv(?)", [str(path)])
            return time.perf_counter() - started

    with ExitStack() as stack:
        ours = Fake(stack)

        def upload() -> float:
            ours.forget()
            return ours.upload(path, MILLION)

        found = in_turns({"ours": upload, "theirs": theirs}, rounds)
    yield at_least(what, against, MILLION / found["ours"], MILLION / found["theirs"], 0.2, "rows/s")


def scaling(files: dict[int, Path], rounds: int) -> Iterator[Row]:
    """Rows per second at three sizes."""
    with ExitStack() as stack:
        ours = Fake(stack)

        def rate(size: int) -> float:
            ours.forget()
            return size / ours.upload(files[size], size)

        found = in_turns({str(size): lambda size=size: rate(size) for size in files if size > 100}, rounds)  # type: ignore[misc]
    values = list(found.values())
    spread = max(values) / min(values) - 1
    told = ", ".join(f"{value:,.0f}" for value in values)
    yield Row(
        "rows per second at 10k, 100k, 1M rows",
        "each other",
        told,
        "",
        f"{spread:.0%} apart",
        "within 25 %",
        spread <= 0.25,
    )


def repeated(path: Path) -> Iterator[Row]:
    """Ten uploads in a row, each forgotten before the next: what stays."""
    with ExitStack() as stack:
        ours = Fake(stack)
        held = []
        for _ in range(10):
            ours.upload(path, MILLION)
            ours.forget()
            held.append(memory(ours.process.pid, "VmRSS"))
    growth = held[-1] - held[1]
    yield Row(
        "ten uploads of a million rows, each forgotten",
        "the second",
        f"{growth:+.0f} MB",
        "",
        "",
        "at most +20 MB",
        growth <= 20,
    )


def meanwhile(path: Path) -> Iterator[Row]:
    """Status calls while a million rows are applied, beside the same calls when nothing else happens."""
    with ExitStack() as stack:
        ours = Fake(stack)
        client = ours.client()
        small_job = client.upload("contact", b"C_EmailAddress\na@example.com\n")
        client.wait(small_job)

        def p99(until: Callable[[], bool]) -> float:
            times: list[float] = []
            while not until() or len(times) < 200:
                started = time.perf_counter()
                client.status(small_job)
                times.append((time.perf_counter() - started) * 1000)
            return quantiles(times, n=100)[98]

        count = iter(range(2000))
        idle = p99(lambda: next(count, None) is None)
        uploading = threading.Thread(target=ours.upload, args=(path, MILLION))
        uploading.start()
        busy = p99(lambda: not uploading.is_alive())
        forget_peak(ours.process.pid)
    yield at_most(
        "p99 of status calls while a million rows are applied", "the same idle", busy, idle, 10, "ms"
    )
    yield Row("the same", "", f"{busy:.3g} ms", "", "", "under 50 ms", busy < 50)


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        print(row)
