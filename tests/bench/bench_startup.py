"""What every session pays for an installed plugin that it does not use: one test, with and without it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median

from .side_by_side import Row

RUNS = 20
REACH = 5.0
"""Milliseconds."""


def measure(runs: int = RUNS) -> tuple[float, float, float]:
    """Milliseconds of a one-test session with the plugin and without it, and the median of their differences.

    The two take turns. Plugins of this environment other than Faker's, which is installed wherever ours is, are left
    out on both sides.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_one.py").write_text("def test_one():\n    pass\n")
        Path(folder, "pytest.ini").write_text("[pytest]\n")
        _session(folder)
        _session(folder, "-pno:ocbulk")
        pairs = [(_session(folder), _session(folder, "-pno:ocbulk")) for _ in range(runs)]
    ours, bare = zip(*pairs, strict=True)
    return median(ours), median(bare), median(one - other for one, other in pairs)


def _session(folder: str, *options: str) -> float:
    others = {each.name for each in entry_points(group="pytest11")} - {"ocbulk", "faker"}
    # Imports without bytecode take twice as long.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider"]
    command += [*(f"-pno:{name}" for name in sorted(others)), *options]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def rows(rounds: int) -> Iterator[Row]:
    """The line of the table; starts are short, so there are more of them than rounds."""
    ours, bare, difference = measure(max(RUNS, rounds))
    yield Row(
        "plugin installed, unused: one-test session",
        "the same with -p no:ocbulk",
        f"{ours:.0f} ms",
        f"{bare:.0f} ms",
        f"{difference:+.1f} ms",
        f"at most +{REACH:g} ms",
        difference <= REACH,
    )


if __name__ == "__main__":
    print("with {:.0f} ms, without {:.0f} ms, median difference {:+.1f} ms".format(*measure()))
