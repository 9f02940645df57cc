"""How far it is, on standard error: a bar on a terminal, plain lines where a bar would be noise."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pytest_ocbulk.process_streams import can_redraw

if TYPE_CHECKING:
    from pytest_ocbulk.client import JobStatusReport

REDRAW = 0.1
"""Seconds between two drawings of a bar; drawing for every chunk would cost more than sending it."""


@contextmanager
def counting(label: str, unit: Callable[[int], str]) -> Iterator[Callable[[int, int | None], None]]:
    """A callback for "so much is done, of so much in all (None: unknown)"; `unit` prints an amount."""
    began = time.monotonic()
    done = 0
    bar = _Bar(label) if can_redraw() else None
    if bar is None:
        click.echo(f"{label} ...", err=True)

    def progress(now: int, total: int | None) -> None:
        nonlocal done
        if bar is not None:
            bar.move(now - done, total, unit(now))
        done = now

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()
    took = time.monotonic() - began
    click.echo(f"{label}: {unit(done)} in {took:.1f} s", err=True)


@contextmanager
def watching(label: str) -> Iterator[Callable[[JobStatusReport], None]]:
    """A callback for each report of a job that is waited for."""
    bar = _Bar(label) if can_redraw() else None
    last = ""

    def on_poll(report: JobStatusReport) -> None:
        nonlocal last
        text = report.status
        if report.records_count:
            text += f", {report.records_count:,} rows"
        if bar is not None:
            bar.move(1, None, text, at_once=True)
        elif text != last:
            click.echo(f"{label}: {text}", err=True)
        last = text

    try:
        yield on_poll
    finally:
        if bar is not None:
            bar.close()


class _Bar:
    """click's progress bar, made when it is known whether there is a total: without one it only pulses."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._drawn = float("-inf")
        self._pending = 0

    def move(self, by: int, total: int | None, text: str, *, at_once: bool = False) -> None:
        """Go on by an amount; drawn ten times a second at most, and when it is complete."""
        if self._bar is None:
            self._bar = _progressbar(self._label, total)
        self._pending += by
        now = time.monotonic()
        if at_once or now - self._drawn > REDRAW or self._bar.pos + self._pending == total:
            self._bar.update(self._pending, text)
            self._drawn, self._pending = now, 0

    def close(self) -> None:
        """Leave the bar as it is and begin a new line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def _progressbar(label: str, total: int | None) -> Any:
    bar: Any = click.progressbar(
        iter(str, ""),  # nothing is iterated, but without a total click wants something of unknown length
        length=total,
        label=label,
        file=sys.stderr,
        item_show_func=lambda text: text or "",
        show_eta=total is not None,
        width=30,
    )
    return bar.__enter__()


def size(number: int) -> str:
    """Bytes as people say them: `12.4 MB`."""
    amount, unit = float(number), "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"


def rows(number: int) -> str:
    """A number of rows: `1,000,000 rows`."""
    return f"{number:,} rows"
