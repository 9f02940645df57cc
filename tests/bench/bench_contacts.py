"""Contacts per second against the loop that people write with Faker, side by side in one run.

Both sides write the same seven columns to a file in a temporary directory; imports and the first making of a Faker
are done before. The naive loop is far too slow for large files: its rate is measured on 1,000 rows
and holds for any number, since it does the same for every row.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

from faker import Faker

from pytest_ocbulk.contacts import write_contacts

from .side_by_side import Row, at_least, in_turns

NAIVE_ROWS = 1_000
REACH = {1_000: 5.0, 10_000: 20.0, 1_000_000: 250.0}
"""How many times as fast as the naive loop, by number of rows."""


def write_naively(path: Path, rows: int) -> None:
    """What one writes without thinking: seven calls of Faker per row."""
    fake = Faker("en_US")
    fake.seed_instance(7)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            [
                "C_EmailAddress",
                "C_FirstName",
                "C_LastName",
                "C_Title",
                "C_BusPhone",
                "C_Company",
                "C_Website1",
            ]
        )
        for _ in range(rows):
            writer.writerow(
                [
                    fake.email(),
                    fake.first_name(),
                    fake.last_name(),
                    fake.job(),
                    fake.phone_number(),
                    fake.company(),
                    fake.url(),
                ]
            )


def rate(write: Callable[[Path, int], None], path: Path, rows: int) -> float:
    """Rows per second of one run."""
    started = perf_counter()
    write(path, rows)
    return rows / (perf_counter() - started)


def rows(rounds: int) -> Iterator[Row]:
    """A line for each size."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "contacts.csv"
        write_naively(path, 1)  # Faker loads its providers once per process, for either side
        sides: dict[str, Callable[[], float]] = {"naive": lambda: rate(write_naively, path, NAIVE_ROWS)}
        for size in REACH:
            sides[str(size)] = lambda size=size: rate(lambda to, n: write_contacts(to, n, seed=7), path, size)  # type: ignore[misc]
        found = in_turns(sides, rounds)
    for size, reach in REACH.items():
        yield at_least(
            f"contacts, {size:,} rows",
            "the naive Faker loop",
            found[str(size)],
            found["naive"],
            reach,
            "rows/s",
        )
