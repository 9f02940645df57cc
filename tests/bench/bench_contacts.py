"""Contacts per second against the loop that people write with Faker, side by side in one run.

    python tests/bench/bench_contacts.py [rounds]

Both sides write the same seven columns to a file in a temporary directory; imports and the first making of a Faker
are done before. The naive loop is far too slow for large files: its rate is measured on 1,000 rows
and holds for any number, since it does the same for every row.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from faker import VERSION, Faker

from pytest_ocbulk.contacts import write_contacts

NAIVE_ROWS = 1_000
SIZES = (10, 1_000, 10_000, 1_000_000)


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


def main(rounds: int) -> None:
    """Alternate the sides and print medians."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "contacts.csv"
        write_naively(path, 1)  # Faker loads its providers once per process, for either side
        naive: list[float] = []
        ours: dict[int, list[float]] = {size: [] for size in SIZES}
        for _ in range(rounds):
            naive.append(rate(write_naively, path, NAIVE_ROWS))
            for size in SIZES:
                ours[size].append(rate(lambda to, n: write_contacts(to, n, seed=7), path, size))
    print(f"Faker {VERSION}, Python {sys.version.split()[0]}, median of {rounds} alternating rounds")
    print(f"naive loop            {median(naive):>12,.0f} rows/s")
    for size in SIZES:
        each = median(ours[size])
        print(f"write_contacts {size:>9,} {each:>9,.0f} rows/s {each / median(naive):>9,.0f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
