"""`ocbulk errors`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..new_file import NewFile
from ..output import json_option, limited, print_all
from ..verdict import keep_errors

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk errors 1234",
        "ocbulk errors 1234 -o failed.csv",
    ],
)
@click.argument("job")
@click.option(
    "-o",
    "--output",
    type=NewFile(),
    metavar="FILE",
    help="Write them here instead: CSV, or JSON lines if the name ends in .json or .jsonl; - is standard output.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@json_option
@connected
def command(client: BulkClient, job: str, output: Path | None, limit: int | None, as_json: bool) -> None:
    """List the failed rows of a job.

    Row 1 is the first after the header.
    """
    failed = limited(client.errors(job), limit)
    if output is not None:
        keep_errors(failed, output)
    elif not print_all(failed, ["row", "message"], as_json):
        click.echo("No row failed.", err=True)
