"""`make bench`: run the benchmarks, print the table, write docs/performance.md.

python -m tests.bench [--rounds N] [--no-write] [MODULE ...]
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sqlite3
import sys
from collections.abc import Iterable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .side_by_side import Row

MODULES = (
    "startup",
    "fixtures",
    "in_process",
    "socket",
    "ingest",
    "reading",
    "contacts",
    "client_upload",
    "xdist",
)
PEERS = (
    *("pytest", "requests", "responses", "httptools", "multipart", "faker"),
    *("pytest-httpserver", "moto", "uvicorn", "starlette", "duckdb", "pytest-xdist"),
)
LIMITS = """
## Where the limits are

- **A million rows** pass through one interpreter: reading CSV, checking and handing over values hold its lock,
  which SQLite's own share (rows and indexes) does not need and yet waits for. `csv` and the driver's INSERT alone take
  2.9 s of the 6.5, without a socket, a check or an index. DuckDB and Polars are faster because
  they read columns and make no Python object of a value. As a second store beside SQLite each would have to be held
  equal to it in every detail of the service, for uploads far larger than those of nearly all tests.
- **Downloads**: a block of texts comes from SQLite as one JSON text and is split at its quotes; half of the time is
  SQLite writing it.
- **A filter** looks through all records the first two times; then its field gets an index.
- **xdist**: each worker imports the fake for itself, a tenth of a second, and four workers share two cores. The
  difference of two sessions of three seconds is mostly noise: seven runs told between -78 and +516 ms, most about +300.
"""
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def main() -> None:
    """Read the command line and run."""
    # Imports without bytecode take twice as long; a benchmark of starts must not measure that.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "modules", nargs="*", default=MODULES, metavar="MODULE", help=f"some of {', '.join(MODULES)}"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="alternating rounds, at least five for the table"
    )
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md alone")
    given = parser.parse_args()
    rows: list[Row] = []
    for name in given.modules:
        print(f"-- {name}", file=sys.stderr, flush=True)
        for row in importlib.import_module(f".bench_{name}", __package__).rows(given.rounds):
            print(line(row), flush=True)
            rows.append(row)
    if not given.no_write and tuple(given.modules) == MODULES:
        PAGE.write_text(page(rows, given.rounds), encoding="utf-8")


def line(row: Row) -> str:
    """A row of the Markdown table."""
    mark = {True: "yes", False: "**no**", None: ""}[row.reached]
    return f"| {row.what} | {row.against} | {row.ours} | {row.theirs} | {row.ratio} | {row.reach} | {mark} |"


def versions() -> Iterable[str]:
    """What was measured with."""
    yield f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    yield f"{os.cpu_count()} cores, {platform.machine()}"
    for name in PEERS:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} not installed"


def page(rows: Iterable[Row], rounds: int) -> str:
    """docs/performance.md."""
    head = "| what | against | ours | theirs | ratio | to reach | reached |\n|---|---|---|---|---|---|---|"
    return "\n".join(
        [
            "# Performance",
            "",
            "Written by `make bench`, not by hand. Every line compares two sides that ran in turns on one machine,",
            f"medians of {rounds} rounds; the ratio is what counts, the numbers beside it are of that day and machine.",
            "Memory is the peak of the server's process.",
            "",
            f"Measured on {date.today().isoformat()} with {'; '.join(versions())}.",
            "",
            head,
            *map(line, rows),
            LIMITS,
        ]
    )


if __name__ == "__main__":
    main()
