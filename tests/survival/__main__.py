"""The long run: hundreds of kills and a long load; its figures go into docs/reliability.md.

make survive                         300 kills, a minute of load
OCBULK_KILLS=50 make survive         as many as you like
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

from ..figures import write
from ..server_process import server_process
from .crashing import Crashing
from .load import Footprint, Load
from .test_load import settled

KILLS = int(os.environ.get("OCBULK_KILLS", "300"))
SECONDS = float(os.environ.get("OCBULK_LOAD_SECONDS", "60"))
CLIENTS = 200


def main() -> None:
    """Kill, load, write down."""
    seed = int(os.environ.get("OCBULK_SEED") or random.randrange(2**32))
    print(f"OCBULK_SEED={seed}", flush=True)  # noqa: T201
    crash(seed)
    load(seed)


def crash(seed: int) -> None:
    """Hundreds of kills."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Crashing(Path(folder), seed, say=lambda line: print(line, flush=True)).run(KILLS)  # noqa: T201
        errors = (Path(folder) / "stderr.txt").read_text()
    if errors:
        sys.exit(f"the server said: {errors}")
    write(
        "crash",
        {
            "kills (`kill -9`) at random moments": f"{figures.kills}",
            "stops by SIGTERM in between": f"{figures.graceful_stops}",
            "uploads sent": f"{figures.uploads_sent:,}",
            "uploads answered `CREATED`": f"{figures.uploads_answered:,} with {figures.rows_answered:,} rows",
            "uploads lost": f"{figures.uploads_lost}",
            "batches torn": f"{figures.batches_torn}",
            "records shown in lists and looked for again": f"{figures.records_seen:,}",
            "records lost": f"{figures.records_lost}",
            "callbacks owed": f"{figures.callbacks_owed:,}, received {figures.callbacks_received:,}",
            "callbacks lost": f"{figures.callbacks_lost}",
            "time": f"{figures.seconds:.0f} s",
            "seed": f"{figures.seed}",
        },
    )


def load(seed: int) -> None:
    """A long load, after another that brings the server to its size."""
    with server_process("--quiet", "--job", "CREATED RUNNING 20ms COMPLETE") as server:
        try:
            Load(server.base_url, CLIENTS, SECONDS, seed).run()
            before = settled(server.process.pid)
            figures = Load(server.base_url, CLIENTS, SECONDS, seed + 1).run()
            after = settled(server.process.pid)
        except OSError as error:
            sys.exit(f"{error!r}; exit code of the server, None while it runs: {server.process.poll()}")
    faults = (figures.rows_lost, figures.wrong_counts, figures.strangers)
    if faults != (0, 0, 0) or _grown(before, after):
        sys.exit(f"{figures}\n{before}\n{after}")
    write(
        "load",
        {
            "clients at a time": f"{figures.clients}",
            "time": f"{figures.seconds:.0f} s",
            "calls answered": f"{figures.calls:,} ({figures.calls_per_second:,.0f} each second)",
            "uploads": f"{figures.uploads:,} with {figures.rows:,} rows",
            "rows lost": f"{figures.rows_lost}",
            "wrong counts": f"{figures.wrong_counts}",
            "records of others seen": f"{figures.strangers}",
            "slowest answer": f"{figures.slowest:.2f} s",
            "memory before and after": f"{before.memory:.0f} MiB, {after.memory:.0f} MiB",
            "threads before and after": f"{before.threads}, {after.threads}",
            "descriptors before and after": f"{before.descriptors}, {after.descriptors}",
        },
    )


def _grown(before: Footprint, after: Footprint) -> bool:
    things = after.threads > before.threads or after.descriptors > before.descriptors
    return things or after.memory > 1.25 * before.memory


if __name__ == "__main__":
    main()
