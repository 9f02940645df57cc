"""What the end of a job means: for a person, for a machine, and as an exit code."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from pytest_ocbulk.emulator.clock import seconds
from pytest_ocbulk.emulator.errors import OcBulkError

from .group import Exit
from .new_file import STDOUT, NewFile, written
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


def pause(text: str) -> float:
    """The type of an option that takes a duration above zero."""
    length = duration(text)
    if not length:
        raise click.BadParameter(
            f"expected a time above 0, got {text!r}: the service would be asked without a pause; leave it out for 1s"
        )
    return length


def waiting_options(function: F) -> F:
    """The options of every command that waits for a job and passes a verdict."""
    for option in (
        click.option(
            "--errors-to",
            type=NewFile(),
            metavar="FILE",
            help="Keep all failed rows here: CSV, or JSON lines if the name ends in .json or .jsonl; - is"
            " standard output.",
        ),
        click.option(
            "--interval",
            type=pause,
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


def check_waits(context: click.Context, *, wait: bool) -> None:
    """Raise `UsageError` for an option about waiting where nothing is waited for; it would do nothing, unseen."""
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("timeout", "interval", "errors_to")
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    ]
    if given and not wait:
        raise click.UsageError(
            f"{' and '.join(given)} {'say' if len(given) > 1 else 'says'} how the job is waited for: give --wait too,"
            " or wait later with `ocbulk wait`"
        )


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
    if as_json:
        print_json(facts_of(report) | {"errors": [facts_of(each) for each in shown]})
    else:
        _tell(report, shown)
    if errors_to is not None:  # after the verdict, which is then known whatever becomes of the file
        keep_errors(itertools.chain(shown, failures), errors_to)
    elif (more := (report.records_failed_count or 0) - SHOWN) > 0:
        click.echo(f"... and {more:,} more; --errors-to FILE keeps them all.", err=True)
    return judge(report)


def judge(report: JobStatusReport) -> Exit:
    """The exit code for a job that has ended."""
    if not report.succeeded:
        return Exit.JOB_FAILED
    return Exit.ROWS_FAILED if report.records_failed_count else Exit.FINE


def keep_errors(failed: Iterable[RowError], path: Path) -> None:
    """Keep failed rows, as CSV or JSON lines by the name of the file, and say how many there were."""
    line = _json_line if path.suffix in (".json", ".jsonl") else _csv_line
    count = 0
    with written(path) as file:
        if line is _csv_line:
            file.write(b"row,message\n")
        for each in failed:
            file.write(line(each).encode())
            count += 1
    if path != STDOUT:
        click.echo(
            f"{'1 failed row is' if count == 1 else f'{count:,} failed rows are'} in {path}.", err=True
        )


def _json_line(failed: RowError) -> str:
    return json.dumps(facts_of(failed), ensure_ascii=False) + "\n"


def _csv_line(failed: RowError) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([failed.row, failed.message])
    return text.getvalue()


def _all_in(count: int | None) -> str:
    if count == 1:
        return "the 1 row is in"
    return "all rows are in" if count is None else f"all {count:,} rows are in"


def _tell(report: JobStatusReport, shown: list[RowError]) -> None:
    ended = f"Job {report.id} ended {report.status}"
    if not report.succeeded:
        click.secho(f"{ended}: {report.error}" if report.error else ended, fg="red")
    elif not report.records_failed_count:
        click.secho(f"{ended}: {_all_in(report.records_count)}.", fg="green")
    else:
        of = "" if report.records_count is None else f" of {report.records_count:,}"
        click.secho(f"{ended}: {report.records_failed_count:,}{of} rows failed.", fg="yellow")
    print_table(([cell(each.row), cell(each.message)] for each in shown), ["row", "message"])
