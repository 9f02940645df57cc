"""How things are measured here: both sides in one run, in turns, medians; a ratio is what counts.

These machines are shared and noisy, so an absolute number says little and a number from another day nothing. Each
benchmark module has `rows(rounds) -> Iterable[Row]`; `python -m tests.bench` runs them and prints the table.
"""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One line of the table. `reached` is None where the line only informs."""

    what: str
    against: str
    ours: str
    theirs: str
    ratio: str
    reach: str
    reached: bool | None = None


def in_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each side over `rounds` rounds, after one round that counts for nothing."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, measure in sides.items():
            gc.collect()
            value = measure()
            if number:
                found[name].append(value)
    return {name: median(values) for name, values in found.items()}


def missing(*modules: str) -> str:
    """Which of some peers cannot be imported, as a line for the table; empty if all can."""
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"left out: {', '.join(absent)} is not installed" if absent else ""


def left_out(what: str, against: str, reason: str) -> Row:
    """A line for a peer that is not there."""
    return Row(what, against, "", "", "", reason)


def at_most(what: str, against: str, ours: float, theirs: float, limit: float, unit: str) -> Row:
    """A line for a cost: ours may be at most `limit` times theirs."""
    ratio = ours / theirs
    return Row(
        what,
        against,
        f"{ours:,.4g} {unit}",
        f"{theirs:,.4g} {unit}",
        f"{ratio:.3g}x",
        f"at most {limit:.3g}x",
        ratio <= limit,
    )


def at_least(what: str, against: str, ours: float, theirs: float, limit: float, unit: str) -> Row:
    """A line for a speed: ours must be at least `limit` times theirs."""
    ratio = ours / theirs
    return Row(
        what,
        against,
        f"{ours:,.4g} {unit}",
        f"{theirs:,.4g} {unit}",
        f"{ratio:.3g}x",
        f"at least {limit:.3g}x",
        ratio >= limit,
    )
