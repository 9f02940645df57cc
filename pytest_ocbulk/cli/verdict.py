"""What the end of a job means: for a person, for a machine, and as an exit code."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pytest_ocbulk.emulator.clock import seconds
from pytest_ocbulk.emulator.errors import OcBulkError

from .group import Exit
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
            type=click.Path(dir_okay=False, path_type=Path),
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
    verdict = judge(report)
    failed = list(client.errors(report)) if report.records_failed_count else []
    if errors_to is not None:
        write_errors(failed, errors_to)
    if as_json:
        print_json(facts_of(report) | {"errors": [facts_of(each) for each in failed[:SHOWN]]})
    else:
        _tell(report, failed, errors_to)
    return verdict


def judge(report: JobStatusReport) -> Exit:
    """The exit code for a job that has ended."""
    if not report.succeeded:
        return Exit.JOB_FAILED
    return Exit.ROWS_FAILED if report.records_failed_count else Exit.FINE


def write_errors(failed: Iterable[RowError], path: Path) -> None:
    """Keep failed rows, CSV or JSON lines by the name of the file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix in (".json", ".jsonl"):
            file.writelines(json.dumps(facts_of(each), ensure_ascii=False) + "\n" for each in failed)
        else:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["row", "message"])
            writer.writerows([each.row, each.message] for each in failed)


def _tell(report: JobStatusReport, failed: list[RowError], errors_to: Path | None) -> None:
    if not report.succeeded:
        reason = f": {report.error}" if report.error else ""
        click.secho(f"Job {report.id} ended {report.status}{reason}", fg="red")
        return
    if not report.records_failed_count:
        count = "all" if report.records_count is None else f"all {report.records_count:,}"
        click.secho(f"Job {report.id} ended {report.status}: {count} rows are in.", fg="green")
        return
    of = "" if report.records_count is None else f" of {report.records_count:,}"
    click.secho(
        f"Job {report.id} ended {report.status}: {report.records_failed_count:,}{of} rows failed.",
        fg="yellow",
    )
    print_table(([cell(each.row), cell(each.message)] for each in failed[:SHOWN]), ["row", "message"])
    if errors_to is not None:
        click.echo(f"All {len(failed):,} are in {errors_to}.")
    elif len(failed) > SHOWN:
        click.echo(f"... and {len(failed) - SHOWN:,} more; --errors-to FILE keeps them all.")
