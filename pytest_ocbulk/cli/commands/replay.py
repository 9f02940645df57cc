"""`ocbulk replay`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from pytest_ocbulk.emulator.dialect import DIALECTS

from ..connection import Command
from ..group import Exit
from ..output import json_option, print_each, print_table


@click.command(
    cls=Command,
    examples=[
        "ocbulk replay recordings/import --dialect live",
        "ocbulk replay recordings/import --jobs",
    ],
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    default="documented",
    show_default=True,
    help="The dialect of the fake.",
)
@click.option(
    "--connector",
    default="marketing",
    show_default=True,
    metavar="NAME",
    help="The fake's connector: marketing, sage200, sqlserver or a TOML file of your own.",
)
@click.option(
    "--jobs", "only_jobs", is_flag=True, help="Only show the recorded jobs as timelines for next_job."
)
@json_option
def command(folder: Path, dialect: str, connector: str, only_jobs: bool, as_json: bool) -> int:
    """Play a recording against the fake and show what differs.

    Each difference is told once, with the number of times it occurred. Ends with 2 if there is any.
    """
    from pytest_ocbulk.recording import recorded_jobs, replay

    if only_jobs:
        jobs = ((job.id, job.direction, job.object_name, job.timeline) for job in recorded_jobs(folder))
        _print(jobs, ("job", "direction", "object", "timeline"), as_json)
        return Exit.FINE
    found = replay(folder, dialect, connector)
    _print(found.grouped(), ("call", "field", "recorded", "fake", "times"), as_json)
    if not as_json:
        cut = f"; too large to be played: {', '.join(map(str, found.not_played))}" if found.not_played else ""
        click.echo(f"{found.played} exchanges played, {len(found.differences)} differences{cut}")
    return Exit.ROWS_FAILED if found.differences else Exit.FINE


def _print(lines: Iterable[Sequence[object]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        print_each(dict(zip(columns, line, strict=True)) for line in lines)
    else:
        print_table(([str(cell) for cell in line] for line in lines), columns)
