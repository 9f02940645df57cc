"""`ocbulk jobs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..output import json_option, limited, print_all

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient

COLUMNS = ["id", "status", "direction", "object_name", "records_count", "records_failed_count", "created"]


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk jobs",
        "ocbulk jobs --where \"job_direction='UPLOAD'\" --limit 20",
    ],
)
@click.option("--where", metavar="EXPRESSION", help="""Only those that match, like "job_status='RUNNING'".""")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@json_option
@connected
def command(client: BulkClient, where: str | None, limit: int | None, as_json: bool) -> None:
    """List the jobs of the instance."""
    if not print_all(limited(client.jobs(where), limit), COLUMNS, as_json):
        click.echo("No jobs.", err=True)
