"""`make demo`: the main job from end to end, against a server of its own on a free port."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pytest_ocbulk.client import BulkClient, JobStatusReport
from pytest_ocbulk.contacts import write_contacts

CONTACTS = 1000
SHOWN = 5


def main() -> None:
    """Run the demo; exit 0 only if every row arrived."""
    with TemporaryDirectory() as folder, running_server() as base_url:
        sys.exit(0 if walk_through(base_url, Path(folder)) else 1)


@contextmanager
def running_server() -> Iterator[str]:
    """A server process on a free port; yields its base URL."""
    command = [sys.executable, "-m", "fake_server", "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise SystemExit("the server did not start; what it said is above")
        print(f"A fake Open Connectors server is {line}", flush=True)
        try:
            yield line.removeprefix("listening on ").strip()
        finally:
            process.terminate()


def walk_through(base_url: str, folder: Path) -> bool:
    """Objects, upload, status, contacts: whether every row arrived."""
    with BulkClient(base_url, element_token="sqlserver", user_secret="demo", hub="marketing") as client:
        print("GET /objects          ", ", ".join(client.objects()))
        path = folder / "contacts.csv"
        write_contacts(path, CONTACTS, seed="demo")
        print(f"{CONTACTS:,} Faker contacts    {path.stat().st_size:,} bytes of CSV")
        job = client.upload("contact", path, metadata={"bulkUploadRecordSize": 1})
        print(f"POST /bulk/contact     id {job.id}, {job.status}")
        report = wait_with_bar(client, job.id)
        print(f"                       {report.records_count} rows, {report.records_failed_count} failed")
        found = show_contacts(client)
    print_curl(base_url, job.id)
    if found != CONTACTS:
        print(f"Only {found:,} of {CONTACTS:,} contacts arrived.")
    return found == CONTACTS


def wait_with_bar(client: BulkClient, job: str) -> JobStatusReport:
    """Poll until the end: each status beside a bar on a terminal, a line each elsewhere."""
    label = f"GET /bulk/{job}/status "
    if not sys.stdout.isatty():
        return client.wait(
            job, timeout=30, interval=0.5, on_poll=lambda report: print(label, report.status, flush=True)
        )
    with click.progressbar(length=CONTACTS, label=label, item_show_func=str) as bar:
        return client.wait(
            job,
            timeout=30,
            interval=0.5,
            on_poll=lambda report: bar.update((report.records_count or 0) - bar.pos, report.status),
        )


def show_contacts(client: BulkClient) -> int:
    """A small table of what arrived; returns how many there are."""
    contacts = list(client.records("contact"))
    columns = ("C_FirstName", "C_LastName", "C_EmailAddress", "C_Company")
    print(f"\nGET /contact           {len(contacts):,} contacts, the first {SHOWN}:\n")
    table = [
        columns,
        *(tuple(str(row.get(each) or "") for each in columns) for row in islice(contacts, SHOWN)),
    ]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    for line in table:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return len(contacts)


def print_curl(base_url: str, job: str) -> None:
    """The same by hand."""
    server, _, _ = base_url.partition("/elements")
    port = server.rpartition(":")[2]
    python = os.path.relpath(sys.executable)
    print(
        f"\nThe same by hand: start `{python} -m fake_server --port {port}` here, and in another terminal\n"
    )
    for line in (
        f"'{base_url}/hubs/marketing/objects'",
        f"-F file=@fixtures/csv/sample.csv '{base_url}/hubs/marketing/bulk/contact'",
        f"'{base_url}/hubs/marketing/bulk/{job}/status'",
        f"'{base_url}/hubs/marketing/contact'",
    ):
        print(f"  curl -H 'Authorization: Element sqlserver, User demo' {line}")


if __name__ == "__main__":
    main()
