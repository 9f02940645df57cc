"""Getting a million records out again: downloads, filters, pages near and far."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from pytest_ocbulk.client import BulkClient
from pytest_ocbulk.contacts import write_contacts

from .bench_ingest import MILLION, Fake
from .processes import forget_peak, memory
from .side_by_side import Row, at_least, at_most, in_turns

CAP = 5000


@dataclass(frozen=True)
class Asking:
    """Calls whose answers are read as they come."""

    base: str
    headers: dict[str, str]

    def stream(self, path: str, accept: str) -> requests.Response:
        """The answer to a GET."""
        return requests.get(
            self.base + path, headers={**self.headers, "Accept": accept}, stream=True, timeout=300
        )


def rows(rounds: int) -> Iterator[Row]:
    """All lines."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "contacts.csv"
        write_contacts(path, MILLION, seed=1)
        with path.open(newline="", encoding="utf-8") as file:
            records = list(csv.DictReader(file))
        ours = Fake(stack)
        token = ours.token()
        ask = Asking(ours.base, {"Authorization": f"Element {token}, User demo"})
        client = stack.enter_context(ours.client_of(token))
        client.wait(client.upload("contact", path), timeout=300)
        yield from downloads(ours, client, ask, records, rounds)
        yield from filters(client, records, rounds)
        yield from pages(ask, rounds)


def downloads(
    ours: Fake, client: BulkClient, ask: Asking, records: list[dict[str, Any]], rounds: int
) -> Iterator[Row]:
    """CSV and JSON lines beside what Python writes from rows in memory."""
    job = client.query("select * from contact")
    client.wait(job, timeout=300)
    forget_peak(ours.process.pid)
    idle = memory(ours.process.pid, "VmRSS")

    def download(accept: str) -> float:
        started = time.perf_counter()
        with ask.stream(f"/bulk/{job.id}/contact", accept) as answer:
            size = sum(len(block) for block in answer.iter_content(1 << 20))
        assert size > 100_000_000
        return MILLION / (time.perf_counter() - started)

    def dict_writer() -> float:
        started = time.perf_counter()
        text = io.StringIO()
        writer = csv.DictWriter(text, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
        return MILLION / (time.perf_counter() - started)

    def dumps() -> float:
        started = time.perf_counter()
        text = io.StringIO()
        for record in records:
            text.write(json.dumps(record) + "\n")
        return MILLION / (time.perf_counter() - started)

    found = in_turns(
        {
            "csv": lambda: download("text/csv"),
            "DictWriter": dict_writer,
            "json": lambda: download("application/json"),
            "dumps": dumps,
        },
        rounds,
    )
    grown = memory(ours.process.pid) - idle
    first = in_turns({"first": lambda: first_byte(ask, job.id)}, rounds)["first"]
    yield at_least(
        "download of a million records as CSV",
        "csv.DictWriter",
        found["csv"],
        found["DictWriter"],
        1.5,
        "rows/s",
    )
    yield at_least(
        "download of a million records as JSON lines",
        "json.dumps per row",
        found["json"],
        found["dumps"],
        1.5,
        "rows/s",
    )
    yield Row("the same, first byte", "", f"{first * 1000:.3g} ms", "", "", "within 100 ms", first < 0.1)
    yield Row(
        "the same, memory above what it held", "", f"{grown:.0f} MB", "", "", "flat (20 MB)", grown <= 20
    )


def first_byte(ask: Asking, job: str) -> float:
    """Seconds until the first byte of a download."""
    started = time.perf_counter()
    with ask.stream(f"/bulk/{job}/contact", "text/csv") as answer:
        next(answer.iter_content(1))
        return time.perf_counter() - started


def filters(client: BulkClient, records: list[dict[str, Any]], rounds: int) -> Iterator[Row]:
    """`where` on two fields, one page, beside a scan of dictionaries that stops at a full page."""
    last = records[-1]
    where = f"C_LastName = '{last['C_LastName']}' and C_FirstName = '{last['C_FirstName']}'".replace(
        "''", "'"
    )
    key = f"C_EmailAddress = '{last['C_EmailAddress']}'"

    def ask(condition: str) -> float:
        started = time.perf_counter()
        assert next(iter(client.records("contact", where=condition, page_size=CAP)))
        return (time.perf_counter() - started) * 1000

    def scan() -> float:
        started = time.perf_counter()
        found = [
            record
            for record in records
            if record["C_LastName"] == last["C_LastName"] and record["C_FirstName"] == last["C_FirstName"]
        ]
        assert found
        return (time.perf_counter() - started) * 1000

    found = in_turns({"ours": lambda: ask(where), "scan": scan, "key": lambda: ask(key)}, rounds)
    yield at_most(
        "where on two fields over a million records", "a scan of dicts", found["ours"], found["scan"], 1, "ms"
    )
    yield at_most("the same by the unique key", "a scan of dicts", found["key"], found["scan"], 0.2, "ms")


def pages(ask: Asking, rounds: int) -> Iterator[Row]:
    """The first page of a list and the five-thousandth."""

    def page(number: int) -> float:
        started = time.perf_counter()
        with ask.stream(f"/contact?page={number}&pageSize=200", "application/json") as answer:
            assert len(answer.json()) == 200
        return (time.perf_counter() - started) * 1000

    sides: dict[str, Callable[[], float]] = {"first": lambda: page(1), "last": lambda: page(5000)}
    found = in_turns(sides, rounds)
    yield at_most("page 5,000 of a list", "page 1", found["last"], found["first"], 3, "ms")
