"""What the end of a job means: for a person, for a machine, and as an exit code."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pytest_ocbulk.emulator.clock import seconds
from pytest_ocbulk.emulator.errors import OcBulkError

from .group import Exit
from .new_file import NewFile
from .output import cell, facts_of, print_json, print_table
from .progress import watching

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient, JobStatusReport, RowError
    from pytest_ocbulk.client.reports import JobReference

F = TypeVar("F", bound=Callable[..., Any])

SHOWN = 10
"""Failed rows that are shown; `--errors-to` keeps all of them."""


def duration(text: str) -> float:
    """The type of options that take seconds, or a duration such as 90s, 10m, 1h30m."""
    try:
        return seconds(float(text) if text.replace(".", "", 1).isdecimal() else text)
    except OcBulkError as error:
        raise click.BadParameter(str(error)) from None


def waiting_options(function: F) -> F:
    """The options of every command that waits for a job and passes a verdict."""
    for option in (
        click.option(
            "--errors-to",
            type=NewFile(),
            metavar="FILE",
            help="Keep all failed rows here: CSV, or JSON lines if the name ends in .json or .jsonl.",
        ),
        click.option(
            "--interval",
            type=duration,
            default="1s",
            show_default=True,
            metavar="TIME",
            help="Before the second look; later ones come more slowly, up to 30s.",
        ),
        click.option(
            "--timeout",
            type=duration,
            default="1h",
            show_default=True,
            metavar="TIME",
            help="How long to wait for the job: 90s, 10m, 1h30m.",
        ),
    ):
        function = option(function)
    return function


def wait_and_judge(
    client: BulkClient,
    job: JobReference,
    *,
    timeout: float,
    interval: float,
    errors_to: Path | None,
    as_json: bool,
) -> Exit:
    """Wait for the job's end and tell it. Raises `WaitTimedOut` when the time is up."""
    from pytest_ocbulk.client.reports import job_id

    with watching(f"Job {job_id(job)}") as on_poll:
        report = client.wait(job, timeout, interval, on_poll)
    failures = client.errors(report) if report.records_failed_count else iter(())
    shown = list(itertools.islice(failures, SHOWN))
    kept = None if errors_to is None else write_errors(itertools.chain(shown, failures), errors_to)
    if as_json:
        print_json(facts_of(report) | {"errors": [facts_of(each) for each in shown]})
    else:
        _tell(report, shown)
    if kept is not None:
        click.echo(f"{kept:,} failed rows are in {errors_to}.", err=True)
    elif (more := (report.records_failed_count or 0) - SHOWN) > 0:
        click.echo(f"... and {more:,} more; --errors-to FILE keeps them all.", err=True)
    return judge(report)


def judge(report: JobStatusReport) -> Exit:
    """The exit code for a job that has ended."""
    if not report.succeeded:
        return Exit.JOB_FAILED
    return Exit.ROWS_FAILED if report.records_failed_count else Exit.FINE


def write_errors(failed: Iterable[RowError], path: Path) -> int:
    """Keep failed rows, as CSV or JSON lines by the name of the file. Returns how many there were."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        as_json = path.suffix in (".json", ".jsonl")
        if not as_json:
            writer.writerow(["row", "message"])
        for each in failed:
            count += 1
            if as_json:
                file.write(json.dumps(facts_of(each), ensure_ascii=False) + "\n")
            else:
                writer.writerow([each.row, each.message])
    return count


def _tell(report: JobStatusReport, shown: list[RowError]) -> None:
    ended = f"Job {report.id} ended {report.status}"
    if not report.succeeded:
        click.secho(f"{ended}: {report.error}" if report.error else ended, fg="red")
    elif not report.records_failed_count:
        count = "all" if report.records_count is None else f"all {report.records_count:,}"
        click.secho(f"{ended}: {count} rows are in.", fg="green")
    else:
        of = "" if report.records_count is None else f" of {report.records_count:,}"
        click.secho(f"{ended}: {report.records_failed_count:,}{of} rows failed.", fg="yellow")
    print_table(([cell(each.row), cell(each.message)] for each in shown), ["row", "message"])
